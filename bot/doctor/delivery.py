"""Whether what is merged gets into the cluster: Argo CD's Applications, and the images. Pure."""

from collections.abc import Iterator

from bot.domain.finding import Finding, ok, problem, warning
from bot.domain.inspection import ApplicationSeen

ARGOCD = "Argo CD"
IMAGES = "Image registry"


def no_argocd(subject: str) -> Finding:
    sentence = "It names an Argo CD application, and no Argo CD is set up."
    return problem(ARGOCD, subject, sentence, "Set SLIPWAY_ARGOCD_URL and SLIPWAY_ARGOCD_TOKEN.")


def application(
    subject: str, seen: ApplicationSeen, repository_url: str, default_branch: str | None
) -> Iterator[Finding]:
    """Whether the Application brings the default branch of the GitOps repository into the cluster."""
    if not seen.follows_repository:
        told = ", ".join(url for url, _ in seen.sources) or "nothing"
        yield problem(
            ARGOCD,
            subject,
            f"The Application `{seen.name}` follows {told}, not {repository_url}.",
            "Correct its repoURL, or `argocd` in slipway.yaml.",
        )
        return
    followed = {revision for _, revision in seen.sources}
    if default_branch is not None and not followed & {"", "HEAD", default_branch}:
        told = ", ".join(sorted(followed))
        yield problem(
            ARGOCD,
            subject,
            f"The Application `{seen.name}` follows `{told}`; Slipway merges into `{default_branch}`.",
            f"Set its targetRevision to HEAD or {default_branch}.",
        )
    if seen.automated:
        yield ok(ARGOCD, subject, f"The Application `{seen.name}` is there and syncs by itself.")
    else:
        yield warning(
            ARGOCD,
            subject,
            f"The Application `{seen.name}` does not sync by itself: each promotion waits for a person.",
            "Turn on its auto-sync (`syncPolicy.automated`).",
        )
    for condition in seen.conditions:
        todo = "Repair what Argo CD says."
        yield warning(ARGOCD, subject, f"Argo CD says of `{seen.name}`: {condition[:300]}", todo)


def image(subject: str, reference: str, digest: str | None) -> Finding:
    """What the registry says of one image that should be there."""
    if digest is not None:
        return ok(IMAGES, subject, f"{reference} is there.")
    sentence = f"The registry answers, and {reference} is not there."
    todo = "Push the image, or correct `image` in slipway.yaml; a bump waits until the image exists."
    return warning(IMAGES, subject, sentence, todo)
