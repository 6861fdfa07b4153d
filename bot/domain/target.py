"""Where a pin is: a file of the GitOps repository and a selector in it."""

from pydantic import BaseModel, ConfigDict, Field


class KustomizeImage(BaseModel):
    """An entry of `images:` in a kustomization, found by literal equality of its name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kustomize: str = Field(description="Folder with a kustomization, or the file itself.")
    image: str = Field(description="`name` of the entry under `images:`.")


Target = KustomizeImage
