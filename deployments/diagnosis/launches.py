"""Rules about what people do with a hub: build, launch, sign in; and about its own health page. Pure."""

from __future__ import annotations

from deployments.diagnosis.rule import Rule, either, failed, logged, unhealthy

BINDER, HUB = r"^binder-", r"^hub-"
PUSH = (
    r"denied: requested access|push access denied|unauthorized: (?:incorrect|authentication)|insufficient_scope"
    r"|push.*(?:401|unauthorized|denied)|(?:401|unauthorized).*push"
)

RULES: tuple[Rule, ...] = (
    Rule(
        "push-refused",
        "The registry refused the image that was built.",
        "Our access token is wrong or has expired, or its account may not write under this prefix.",
        "Make a new access token with the right to write, and give it to the hub under Secrets; with an"
        " organisation, check that the account is a member.",
        either(failed(PUSH), logged(PUSH, part=r"^build-")),
        hides=("build-failed", "health-registry"),
    ),
    Rule(
        "hub-url",
        "The binder does not know its hub's address.",
        "hub_url or hub_url_local is not set, or leads elsewhere: nothing can be launched.",
        "Take them out of your own values, and change the hub: Slipway sets them.",
        either(
            failed(r"hub_url|Internal Server Error"),
            logged(r"hub_url|Invalid URL ''|unknown url type|Connection refused.*hub/api", part=BINDER),
        ),
        hides=("health-jupyterhub", "launch-failed"),
    ),
    Rule(
        "hub-token",
        "The hub does not accept the binder's token.",
        "The binder may not make a guest at the hub: the two have different tokens, or the binder lacks the right.",
        "Retry, or give the hub new tokens under Secrets: both get the same one.",
        either(
            failed(r"Failed to create temporary user"),
            logged(r"Error creating user .*(?:403|Forbidden)", part=BINDER),
            logged(r"403 (?:POST|GET) /hub/api/users|No access to resources or resources not found", part=HUB),
        ),
        hides=("launch-failed",),
    ),
    Rule(
        "repository-missing",
        "The repository does not exist, or is private.",
        "It was looked for at GitHub and not found; the branch or tag may be misspelt too.",
        "Check the address for spelling. A private one can only be opened by a hub that was given a token for it.",
        failed(r"Could not resolve ref for|Repository not found|could not read Username|remote: Not Found"),
        hides=("build-failed",),
    ),
    Rule(
        "repository-refused",
        "This hub does not open that repository.",
        "It is on the list of banned repositories, or not on the list of allowed ones.",
        "Change the hub's lists of allowed and banned repositories.",
        failed(r"has been temporarily disabled from launching|is not allowed|Sorry, .* disabled"),
    ),
    Rule(
        "github-limit",
        "GitHub answers no more questions for now.",
        "It allows 60 an hour from one address without an account, and the hub asks for each repository.",
        "Wait an hour, or give the hub a GitHub token.",
        either(failed(r"GitHub rate limit exceeded"), logged(r"GitHub rate limit exceeded", part=BINDER)),
    ),
    Rule(
        "conda-conflict",
        "The repository asks for conda packages that do not go together.",
        "Some do not exist in these versions, or exclude one another.",
        "Correct environment.yml: loosen the versions, and check each package's name and channel.",
        failed(r"ResolvePackageNotFound|PackagesNotFoundError|UnsatisfiableError|could not solve for environment"),
        hides=("build-failed",),
    ),
    Rule(
        "pip-conflict",
        "The repository asks for Python packages that do not exist or do not go together.",
        "pip found no version that fits everything.",
        "Correct requirements.txt: loosen the versions, and check each package's name.",
        failed(r"No matching distribution found|Could not find a version that satisfies|ResolutionImpossible"),
        hides=("build-failed",),
    ),
    Rule(
        "build-timeout",
        "Building the repository's image took too long.",
        "The hub gives up a build after a while, so that builds that hang do not pile up.",
        "Open it once more: what is done is reused. If it stops again, ask for fewer or smaller packages.",
        failed(r"build.*(?:timed out|timeout|too long)|DeadlineExceeded|Build pod .* deleted"),
        hides=("build-failed", "session-timeout"),
    ),
    Rule(
        "launch-limit",
        "Too many launches from one address.",
        "Somebody without an account may launch ten times in an hour.",
        "Wait an hour. With sign-in by GitHub there is no such limit.",
        failed(r"(?<!GitHub )rate limit exceeded\. Try again|Too many launches"),
    ),
    Rule(
        "hub-limit",
        "The hub has as many sessions as it was allowed.",
        "Its “most servers at a time”, or that of one repository, is reached.",
        "Wait until somebody stops, or change the hub to allow more.",
        failed(r"Too many users (?:on this BinderHub|running )|maximum number of concurrent"),
        hides=("launch-failed",),
    ),
    Rule(
        "session-timeout",
        "The session did not start in time.",
        "The image is large and the machine had to fetch it first, or there was no room.",
        "Try once more: the image is on the machine now. If there is no room, change the hub to more machines.",
        failed(
            r"did not start in \d+ seconds|did(?:n't| not) respond in|failed to start|Launch .*timed? ?out|TimeoutError"
        ),
        hides=("launch-failed",),
    ),
    Rule(
        "github-callback",
        "GitHub does not accept where people are sent back to.",
        "The callback address in the GitHub app is not the hub's.",
        "In the GitHub app's settings, set the callback address to the one the hub's page shows.",
        either(
            failed(r"redirect_uri_mismatch|redirect_uri.*(?:MUST match|not associated)"),
            logged(r"redirect_uri_mismatch|redirect_uri MUST match", part=HUB),
        ),
        hides=("sign-in-refused",),
    ),
    Rule(
        "github-secret",
        "GitHub does not accept the hub's client secret.",
        "The client id or the secret of the GitHub app is wrong, or was made anew there.",
        "Make a new secret in the GitHub app, and give it to the hub under Secrets.",
        either(
            failed(r"incorrect_client_credentials|client_id and/or client_secret"),
            logged(r"incorrect_client_credentials|client_id and/or client_secret", part=HUB),
        ),
        hides=("sign-in-refused",),
    ),
    Rule(
        "sign-in-refused",
        "Somebody signed in with GitHub and was not let in.",
        "They are in none of the organisations allowed, or the organisation has not granted the GitHub app access.",
        "In the organisation's settings on GitHub, grant access to the app; check the list of organisations here.",
        either(
            failed(r"not currently authorized to use this hub|User .* (?:is )?not allowed"),
            logged(r"User .* (?:is )?not allowed|not currently authorized|Failed to fetch.*orgs", part=HUB),
        ),
    ),
    Rule(
        "health-registry",
        "The hub cannot reach its registry.",
        "Its own check of the registry fails: the access token is wrong, or the registry does not answer.",
        "Give the hub a new access token under Secrets; check the registry's state.",
        unhealthy("Docker registry"),
        lasting=300.0,
    ),
    Rule(
        "health-jupyterhub",
        "The binder cannot reach its hub.",
        "JupyterHub is starting, has stopped, or the address that the binder uses for it is wrong.",
        "Look at the hub's pod under Look inside.",
        unhealthy("JupyterHub API"),
    ),
    Rule(
        "health-quota",
        "The hub is at its limit of sessions.",
        "Its own check says that no more servers may start.",
        "Wait until somebody stops, or change the hub to allow more.",
        unhealthy("Pod quota"),
    ),
    Rule(
        "build-failed",
        "Building the repository's image failed.",
        "A command that prepares it ended with a mistake; that is in the repository, not in the hub.",
        "The last lines of the build name the command. Correct the repository's files and open it again.",
        failed(r"returned a non-zero code|exit code: [1-9]|non-zero exit|Error during build|Build .*failed"),
    ),
    Rule(
        "launch-failed",
        "The image is there, but no session could be started from it.",
        "The hub tried several times.",
        "Look at the newest pod and at the hub's log under Look inside.",
        failed(r"Failed to launch image|Spawn failed|Launch attempt \d+ failed"),
    ),
)
