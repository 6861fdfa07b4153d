"""The Argo CD adapter on the wire, answered by respx."""

import httpx
import pytest
import respx

from bot.adapters.argocd import ArgoCd
from bot.domain.live import LiveState
from bot.ports import Forbidden, NotFound, OutsideError, Refused, Unavailable

URL = "https://argocd.example.com"
REPOSITORY = "https://git.example.com/ml/gitops"
APPLICATION = f"{URL}/api/v1/applications/fraud"
MERGE = "a" * 40


class History:
    """The part of a forge that the adapter asks: which commits contain which."""

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        if descendant == "f" * 40:
            raise NotFound("GitHub", "no such commit")
        return ancestor == descendant

    def was_called(self, name: str) -> bool:
        return name == "ml/before"


@pytest.fixture
def argocd():
    client = ArgoCd(URL, "a-token")
    yield client
    client.close()


def application(status: str = "Synced", revision: str = MERGE) -> dict:
    return {
        "metadata": {"name": "fraud"},
        "spec": {"source": {"repoURL": REPOSITORY}, "syncPolicy": {"automated": {}}},
        "status": {
            "sync": {"status": status, "revision": revision},
            "health": {"status": "Healthy"},
            "reconciledAt": "2026-11-20T10:00:00Z",
        },
    }


def ask(argocd: ArgoCd, name: str = "fraud"):
    return argocd.liveness(name, MERGE, REPOSITORY, History())


@respx.mock
def test_a_live_application_takes_one_request(argocd):
    """A live commit is told with its page, after one request that carries the token and asks to refresh."""
    route = respx.get(APPLICATION, params={"refresh": "normal"}).respond(json=application())

    answer = ask(argocd)

    assert (answer.state, answer.revision, answer.url) == (LiveState.LIVE, MERGE, f"{URL}/applications/fraud")
    assert route.call_count == len(respx.calls) == 1
    assert route.calls[0].request.headers["Authorization"] == "Bearer a-token"


@respx.mock
def test_windows_are_asked_when_out_of_sync(argocd):
    """Only an Application that is out of sync costs a second request, for the sync windows."""
    respx.get(APPLICATION, params={"refresh": "normal"}).respond(json=application("OutOfSync"))
    respx.get(f"{APPLICATION}/syncwindows").respond(json={"canSync": False})

    assert ask(argocd).state is LiveState.WAITING


DENY = {"kind": "deny", "schedule": "0 8 * * *", "duration": "2h", "manualSync": True}
ALLOW = {**DENY, "kind": "allow"}


@respx.mock
@pytest.mark.parametrize(
    ("windows", "state"),
    [
        ({}, LiveState.SYNCING),
        ({"canSync": True, "activeWindows": None, "assignedWindows": [DENY]}, LiveState.SYNCING),
        ({"canSync": True, "activeWindows": [ALLOW], "assignedWindows": [ALLOW]}, LiveState.SYNCING),
        ({"canSync": True, "activeWindows": [DENY], "assignedWindows": [DENY]}, LiveState.WAITING),
        ({"canSync": True, "assignedWindows": [ALLOW]}, LiveState.WAITING),
        ({"canSync": True, "activeWindows": [ALLOW, DENY], "assignedWindows": [ALLOW]}, LiveState.WAITING),
    ],
)
def test_a_window_that_only_people_may_sync_in_is_closed(argocd, windows, state):
    """Argo CD's `canSync` is about syncs by hand; whether it syncs by itself is told by the windows' kinds."""
    respx.get(APPLICATION, params={"refresh": "normal"}).respond(json=application("OutOfSync"))
    respx.get(f"{APPLICATION}/syncwindows").respond(json=windows)

    assert ask(argocd).state is state


@respx.mock
def test_windows_that_cannot_be_read_are_refused(argocd):
    """A sentence, no traceback."""
    respx.get(APPLICATION, params={"refresh": "normal"}).respond(json=application("OutOfSync"))
    respx.get(f"{APPLICATION}/syncwindows").respond(json={"activeWindows": 7})

    with pytest.raises(Refused, match="its sync windows of fraud cannot be read"):
        ask(argocd)


@respx.mock
def test_a_namespace_is_passed_on(argocd):
    """`namespace/name` asks for the Application in that namespace."""
    route = respx.get(APPLICATION, params={"refresh": "normal", "appNamespace": "team-a"}).respond(
        json=application()
    )

    assert ask(argocd, "team-a/fraud").state is LiveState.LIVE
    assert route.called


@respx.mock
def test_a_revision_the_forge_does_not_know(argocd):
    """A revision that is gone from the repository does not contain the commit."""
    respx.get(APPLICATION).respond(json=application(revision="f" * 40))

    assert ask(argocd).state is LiveState.SYNCING


@respx.mock
@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (httpx.Response(404), NotFound, "there is no Application fraud"),
        (httpx.Response(401), Forbidden, "SLIPWAY_ARGOCD_TOKEN"),
        (httpx.Response(403), Forbidden, "may not read"),
        (httpx.Response(429, headers={"Retry-After": "7"}), Unavailable, "429"),
        (httpx.Response(503), Unavailable, "503"),
        (httpx.Response(307, headers={"Location": "https://x.example.com"}), Refused, "redirects"),
        (httpx.Response(400, text="odd"), Refused, "odd"),
        (httpx.Response(200, text="<html>log in</html>"), Refused, "no JSON"),
        (httpx.Response(200, json=[]), Refused, "no object"),
        (httpx.Response(200, json={"status": {"sync": 7}}), Refused, "cannot be read"),
    ],
)
def test_what_goes_wrong_is_told(argocd, answer, error, words):
    """Each wrong answer becomes the error whose meaning fits, with a sentence that says what to do."""
    respx.get(APPLICATION).mock(return_value=answer)

    with pytest.raises(OutsideError, match="Argo CD") as caught:
        ask(argocd)

    assert type(caught.value) is error
    assert words in caught.value.message


@respx.mock
@pytest.mark.parametrize("trouble", [httpx.ConnectError("refused"), httpx.ReadTimeout("")])
def test_no_answer_is_unavailable(argocd, trouble):
    """A server that does not answer is waited for, not blamed."""
    respx.get(APPLICATION).mock(side_effect=trouble)

    with pytest.raises(Unavailable, match="no answer"):
        ask(argocd)


@respx.mock
def test_a_told_pause_is_passed_on(argocd):
    """The pause that Argo CD asks for reaches whoever will ask again."""
    respx.get(APPLICATION).respond(429, headers={"Retry-After": "7"})

    with pytest.raises(Unavailable) as caught:
        ask(argocd)

    assert caught.value.retry_after == 7


@respx.mock
@pytest.mark.parametrize(
    ("followed", "state"),
    [
        ("https://git.example.com/ml/before.git", LiveState.LIVE),
        ("git@git.example.com:ML/Before.git", LiveState.LIVE),
        ("https://git.example.com/ml/elsewhere", LiveState.FAILED),
        ("https://other.example.com/ml/before", LiveState.FAILED),
        ("https://git.example.com/team/ml/before", LiveState.FAILED),
    ],
)
def test_a_renamed_repository_is_followed_under_the_name_it_had(argocd, followed, state):
    """Git leads Argo CD to it, so the Application need not be changed; the forge says which names lead there."""
    seen = application()
    seen["spec"]["source"]["repoURL"] = followed
    respx.get(APPLICATION).respond(json=seen)

    assert ask(argocd).state is state


@respx.mock
def test_of_several_sources_the_renamed_one_is_asked_about(argocd):
    """A chart from elsewhere stands beside it."""
    seen = application()
    chart = {"repoURL": "https://charts.example.com", "chart": "base", "targetRevision": "1.2.3"}
    seen["spec"]["sources"] = [chart, {"repoURL": "https://git.example.com/ml/before"}]
    seen["status"]["sync"] = {"status": "Synced", "revisions": ["1.2.3", MERGE]}
    respx.get(APPLICATION).respond(json=seen)

    assert ask(argocd).revision == MERGE
