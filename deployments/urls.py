"""Addresses of the pages about hubs."""

from django.urls import URLPattern, path

from deployments import stream
from deployments.views import changes, hubs, operations, renewing, requests, review, revisions, running

app_name = "deployments"
urlpatterns: list[URLPattern] = [
    path("", hubs.mine, name="mine"),
    path("hubs/", hubs.everybodys, name="everybodys"),
    path("hubs/new/", requests.new, name="new"),
    path("hubs/new/parts", requests.parts, name="parts"),
    path("hubs/new/check", requests.check, name="check"),
    path("hubs/<uuid:hub_id>/", hubs.detail, name="detail"),
    path("hubs/<uuid:hub_id>/progress", hubs.live, name="progress"),
    path("hubs/<uuid:hub_id>/values.yaml", hubs.values, name="values"),
    path("hubs/<uuid:hub_id>/change/", changes.change, name="change"),
    path("hubs/<uuid:hub_id>/change/parts", changes.parts, name="change-parts"),
    path("hubs/<uuid:hub_id>/change/check", changes.check, name="change-check"),
    path("hubs/<uuid:hub_id>/versions/", revisions.versions, name="versions"),
    path("hubs/<uuid:hub_id>/versions/newer/", revisions.step_up, name="step-up"),
    path("hubs/<uuid:hub_id>/revisions/", revisions.everything, name="revisions"),
    path("hubs/<uuid:hub_id>/revisions/<int:number>/", revisions.revision, name="revision"),
    path("hubs/<uuid:hub_id>/revisions/<int:number>/withdraw", revisions.withdraw, name="withdraw"),
    path("hubs/<uuid:hub_id>/secrets/", renewing.secrets, name="secrets"),
    path("hubs/<uuid:hub_id>/secrets/<slug:purpose>/", renewing.secret, name="secret"),
    path("hubs/<uuid:hub_id>/stop/", running.stop, name="stop"),
    path("hubs/<uuid:hub_id>/start", running.start, name="start"),
    path("hubs/<uuid:hub_id>/extend/", running.extend, name="extend"),
    path("hubs/<uuid:hub_id>/try/", running.try_launch, name="try-launch"),
    path("hubs/<uuid:hub_id>/take-down/", operations.take_down, name="take-down"),
    path("hubs/<uuid:hub_id>/runs/", hubs.runs, name="runs"),
    path("hubs/<uuid:hub_id>/receipt/", hubs.receipt, name="receipt"),
    path("operations/<uuid:operation_id>/log/", operations.log, name="log"),
    path("operations/<uuid:operation_id>/log.txt", operations.whole, name="whole-log"),
    path("operations/<uuid:operation_id>/stream", stream.stream, name="stream"),
    path("operations/<uuid:operation_id>/cancel", operations.cancel, name="cancel"),
    path("operations/<uuid:operation_id>/retry", operations.retry, name="retry"),
    path("review/", review.waiting, name="review"),
    path("review/<uuid:hub_id>/", review.one, name="review-one"),
    path("review/<uuid:hub_id>/<int:revision>/approve", review.approve, name="approve"),
    path("review/<uuid:hub_id>/<int:revision>/reject", review.reject, name="reject"),
    path("review/<uuid:hub_id>/change/<int:number>/", review.change, name="review-change"),
    path("review/<uuid:hub_id>/change/<int:number>/approve", review.approve_change, name="approve-change"),
    path("review/<uuid:hub_id>/change/<int:number>/reject", review.reject_change, name="reject-change"),
]
