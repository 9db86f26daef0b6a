"""The sign-in of people, tried as far as GitHub's page: who signs in there is somebody else's business."""

from __future__ import annotations

from cloud.github import check_oauth_app
from cloud.sign_in import App, try_sign_in
from deployments import services
from deployments.spec import HubSpec
from deployments.values import oauth_callback
from worker.hub import HubContext
from worker.step import Found, Step


def check_app(ctx: HubContext) -> None:
    """Returns when GitHub knows the hub's app with its secret and callback.

    :raises SlipwayError: it does not, or does not answer.
    """
    callback = oauth_callback(ctx.address)
    check_oauth_app(ctx.profile, ctx.spec.github_client_id, ctx.secret(services.GITHUB_SECRET), callback)


class SignIn(Step[HubContext]):
    """A stranger is asked to sign in, is sent to GitHub as the right app, and GitHub knows that app."""

    name, title, after = "sign-in", "Sign-in, as far as GitHub's page", ("health",)
    expected, deadline, doubts = 5, 15 * 60, True

    def concerns(self, spec: HubSpec) -> bool:
        return spec.signs_in

    def check(self, ctx: HubContext) -> Found:
        spec, callback = ctx.spec, oauth_callback(ctx.address)
        scopes = frozenset() if spec.github_everyone else frozenset({"read:org"})
        try_sign_in(ctx.profile, ctx.address, App(spec.github_client_id, callback, scopes))
        check_app(ctx)
        ctx.keep_result(sign_in={"client_id": spec.github_client_id, "callback": callback, "at": ctx.now().isoformat()})
        return Found.ready("strangers are sent to GitHub, and GitHub knows this app, its secret and its callback")
