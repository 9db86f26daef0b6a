"""Rules about a hub's own parts: images that do not come, programs that do not start or do not stay. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from deployments.diagnosis.rule import (
    Rule,
    Sighting,
    either,
    ended,
    event,
    evicted,
    failed,
    logged,
    unschedulable,
    waiting,
)
from deployments.diagnosis.symptoms import Symptoms

#: What settles by itself on a usual day gets this long first (seconds).
SETTLING, ANSWERING = 60.0, 180.0

PULL = "ErrImagePull|ImagePullBackOff"
PULL_LIMIT = r"toomanyrequests|pull rate limit|429 Too Many Requests"
NOT_REACHED = r"i/o timeout|no such host|connection refused|TLS handshake timeout|context deadline exceeded"
MISSING = r"manifest unknown|not found: manifest|: not found|name unknown"
REFUSED = r"pull access denied|unauthorized|authentication required|401|403 Forbidden|insufficient_scope"
SETTINGS = (
    r"traitlets\.config|TraitError|Config(?:uration)? ?(?:File)? ?Error|jupyterhub_config\.py|SyntaxError|NameError:"
    r"|Failed to load config|ValidationError"
)


def not_answering(symptoms: Symptoms) -> Iterator[Sighting]:
    """Pods that run but are not ready, and whose probe says so."""
    for each in symptoms.warnings:
        if each.reason == "Unhealthy" and "Readiness probe" in each.message:
            yield Sighting(each.about.partition("/")[2], each.message, symptoms.born(each.about))


PULLS = ("image-pull",)

RULES: tuple[Rule, ...] = (
    Rule(
        "docker-socket",
        "The hub builds images the wrong way for this cluster.",
        "It looks for Docker on the machine itself (docker.sock), and Azure's machines have none.",
        "Set imageBuilderType to dind: take the line out of your own values, and change the hub.",
        # The builder's own socket, in a folder `dind`, is there as soon as the builder's pod is.
        event(r"hostPath type check failed: (?!.*/dind/)\S*docker\.sock"),
        lasting=120.0,
        hides=("mount-missing",),
    ),
    Rule(
        "mount-missing",
        "A part of the hub waits for something it needs to start.",
        "A secret or a piece of configuration that it mounts does not exist.",
        "Retry: installing the hub again makes what is missing.",
        event(r"(?:secret|configmap) \"?[^ ]*\"? not found|references non-existent", reason="FailedMount"),
        patience=SETTLING,
        lasting=240.0,
    ),
    Rule(
        "pull-limit",
        "Docker Hub gives out no more images for now.",
        "It limits how many images one account, or one address without an account, may fetch in six hours.",
        "Wait up to six hours. To avoid it, use a paid Docker Hub account or Azure Container Registry.",
        either(waiting(PULL, PULL_LIMIT), event(PULL_LIMIT), failed(PULL_LIMIT)),
        hides=PULLS,
    ),
    Rule(
        "registry-unreachable",
        "The registry with the images does not answer.",
        "It is down, or the cluster's network does not let machines reach it.",
        "Wait some minutes. If it stays so, check the registry's address, and that it may be reached from Azure.",
        waiting(PULL, NOT_REACHED),
        hides=PULLS,
    ),
    Rule(
        "image-refused",
        "The registry does not hand out an image that the hub needs.",
        "It does not know our access token, or the image is private or does not exist: it does not say which.",
        "Give the hub a new access token under Secrets; check the image's name and that the account may read it.",
        waiting(PULL, REFUSED),
        lasting=300.0,
        hides=PULLS,
    ),
    Rule(
        "image-missing",
        "An image that the hub needs does not exist.",
        "The registry knows no image of this name and version; it may have been deleted.",
        "If it is an image of a repository, open the repository again: it is built anew. If it is one of the hub's"
        " own, choose another chart version.",
        waiting(PULL, MISSING),
        lasting=180.0,
        hides=PULLS,
    ),
    Rule(
        "image-pull",
        "A part of the hub cannot get its image.",
        "Fetching it from the registry failed; it is tried again, less and less often.",
        "See the registry's words below. If it is about signing in, give the hub a new access token.",
        waiting(PULL),
    ),
    Rule(
        "image-name",
        "An image's name is not valid.",
        "The registry's address, project or image prefix makes a name that no registry accepts.",
        "Change the hub's image prefix: small letters, digits, and single hyphens only.",
        waiting("InvalidImageName"),
        lasting=30.0,
    ),
    Rule(
        "no-fitting-node",
        "No machine is meant for {subject}.",
        "Each machine is set apart for something else (a taint), or lacks a label that is asked for.",
        "Check the node pools of the hub; in your own values, check nodeSelector, tolerations and affinity.",
        unschedulable(r"untolerated taint(?! \{node\.kubernetes\.io/)|didn't match Pod's node affinity"),
        patience=SETTLING,
        lasting=600.0,
        hides=("hub-full",),
    ),
    Rule(
        "hub-full",
        "The hub is full: {subject} finds no room.",
        "All machines together have not enough CPU or memory left.",
        "Change the hub to more or bigger machines, limit what a session may use, or stop idle sessions sooner.",
        either(unschedulable(r"Insufficient (?:cpu|memory)|Too many pods"), failed(r"Insufficient (?:cpu|memory)")),
        lasting=600.0,
    ),
    Rule(
        "hub-memory",
        "The hub's own program ran out of memory.",
        "JupyterHub was killed because it used more memory than its limit allows (OOMKilled).",
        "Raise the limit: jupyterhub.hub.resources.limits.memory in your own values, then change the hub.",
        ended("OOMKilled", part=r"^hub-"),
        lasting=300.0,
        hides=("memory", "crash-loop", "hub-settings"),
    ),
    Rule(
        "memory",
        "{subject} ran out of memory.",
        "A program used more memory than its limit allows, and was killed (OOMKilled).",
        "Raise the memory of each session, or use smaller data. Somebody's session can just be started again.",
        ended("OOMKilled"),
        hides=("crash-loop",),
    ),
    Rule(
        "template-clone",
        "The repository with your templates could not be fetched.",
        "Before the binder starts it clones that repository, and Git refused: it does not exist, is private, or has"
        " no such branch.",
        "Check the template repository and its branch in the hub's form; it must be public.",
        logged(
            r"fatal: (?:repository|could not read|Remote branch|unable to access)|Repository not found",
            part="git|templ|clone",
        ),
        lasting=300.0,
        hides=("init-failed", "crash-loop"),
    ),
    Rule(
        "init-failed",
        "Preparing {subject} failed.",
        "A program that must finish before it starts ended with a mistake.",
        "Its last words stand below; the whole log is under Look inside.",
        either(ended("Error|StartError|ContainerCannotRun", init=True), waiting("CrashLoopBackOff", init=True)),
        hides=("crash-loop",),
    ),
    Rule(
        "hub-settings",
        "The hub does not accept its settings.",
        "JupyterHub or BinderHub stops at once because something in its configuration is wrong.",
        "Its last words below name the setting. Correct your own values, then change the hub.",
        logged(SETTINGS, part=r"^(?:hub|binder)-"),
        lasting=300.0,
        hides=("crash-loop",),
    ),
    Rule(
        "crash-loop",
        "{subject} crashes again and again.",
        "Its program ends soon after each start; Kubernetes waits longer before each new try (CrashLoopBackOff).",
        "Its last words stand below; the whole log is under Look inside, with “Before the last restart”.",
        either(waiting("CrashLoopBackOff"), ended("Error")),
    ),
    Rule(
        "container-config",
        "{subject} cannot be started: something in its settings does not exist.",
        "It refers to a secret, or to a key of one, that is not there.",
        "Retry: installing the hub again makes it. If you wrote values of your own, check the names in them.",
        waiting("CreateContainerConfigError"),
        patience=SETTLING,
        lasting=240.0,
    ),
    Rule(
        "container-start",
        "{subject} cannot be started.",
        "The machine could not run the container's command.",
        "The machine's words stand below. If you wrote values of your own, check commands and mounts in them.",
        waiting("CreateContainerError|RunContainerError"),
        lasting=300.0,
    ),
    Rule(
        "evicted",
        "{subject} was thrown out of its machine.",
        "The machine ran short of something and ended what used most of it (Evicted).",
        "It starts again elsewhere by itself. If it happens often, change the hub to bigger or more machines.",
        evicted(""),
    ),
    Rule(
        "not-answering",
        "{subject} runs, but does not answer.",
        "Kubernetes asks it regularly whether it is ready, and it has not said yes for minutes.",
        "Look at its log under Look inside: it says what it waits for.",
        not_answering,
        patience=ANSWERING,
    ),
)
