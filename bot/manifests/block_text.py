"""YAML that stands as text inside YAML, such as `helm.values: |` of an Argo CD Application.

The text of a literal block scalar stands in the file line by line behind a fixed indentation, so a position
in the text has one position in the file: the inner YAML is edited there, in place.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.manifests.documents import Documents, parse
from bot.manifests.edits import Change, Edit, apply
from bot.manifests.errors import NotParsable, UnsupportedScalar
from bot.manifests.lookup import Place, check_not_shared, show


@dataclass(frozen=True, slots=True)
class BlockText:
    """A literal block scalar, `inner` its text read as YAML."""

    outer: Documents
    place: Place
    inner: Documents

    @classmethod
    def of(cls, outer: Documents, place: Place) -> "BlockText":
        """Read the text at a place as YAML. Raises UnsupportedScalar, NotParsable."""
        where = f"{show(place.path)} (line {place.node.line})"
        if place.node.style != "|":
            raise UnsupportedScalar(f"{where} is text, and only text in a block (`|`) is read as YAML")
        if outer.masked:
            raise UnsupportedScalar(f"{where} stands in a template: what it becomes is not known")
        try:
            return cls(outer, place, parse(place.node.value))
        except NotParsable as error:
            raise NotParsable(f"the text of {where}: {error.message}") from None

    def lift(self, edits: Sequence[Edit]) -> list[Edit]:
        """Edits of the inner text as edits of the file. Raises UnsupportedScalar, VerifyFailed."""
        if not edits:
            return []
        check_not_shared(self.place)
        node = self.place.node
        new_value = apply(self.inner, edits)
        event = ("scalar", node.tag, node.anchor, new_value, False)
        lifted = [self._lift(edit) for edit in edits]
        # One event changes, however many characters do: the first edit (in the order of the text) carries it.
        lifted.sort(key=lambda edit: edit.change.start)
        first, *others = lifted
        position = node.position
        return [
            Edit(first.change, first.text, position, position + 1, (event,)),
            *(Edit(edit.change, edit.text, position, position, ()) for edit in others),
        ]

    def locate(self, start: int, end: int) -> tuple[int, int, int]:
        """(start, end, line) in the file of a piece of the inner text."""
        file_start, _ = self._position(start)
        file_end, _ = self._position(end)
        return file_start, file_end, self.outer.text.count("\n", 0, file_start) + 1

    def _lift(self, edit: Edit) -> Edit:
        change = edit.change
        start, end, line = self.locate(change.start, change.end)
        _, indentation = self._position(change.start)
        line_break = "\r\n" if "\r\n" in self.outer.text else "\n"
        text = edit.text.replace("\n", line_break + " " * indentation)
        if end - start != change.end - change.start:
            raise UnsupportedScalar(
                f"{show(change.path)} in {show(self.place.path)} goes over several lines: change it by hand"
            )
        moved = Change(
            document=self.place.document.index,
            path=(*self.place.path, *change.path),
            line=line,
            start=start,
            end=end,
            old=change.old,
            new=change.new,
        )
        return Edit(moved, text, edit.first, edit.last, edit.events)

    def _position(self, inner: int) -> tuple[int, int]:
        """(position in the file, indentation) of a position in the inner text."""
        value, text, node = self.place.node.value, self.outer.text, self.place.node
        line_start = value.rfind("\n", 0, inner) + 1
        line_end = value.find("\n", inner)
        line = value[line_start : line_end if line_end >= 0 else len(value)]
        number = value.count("\n", 0, inner)
        file_start = text.index("\n", node.start) + 1
        for _ in range(number):
            file_start = text.index("\n", file_start) + 1
        file_end = text.find("\n", file_start)
        file_line = text[file_start : file_end if file_end >= 0 else len(text)].removesuffix("\r")
        indentation = len(file_line) - len(line)
        if indentation < 0 or file_line[:indentation].strip(" ") or file_line[indentation:] != line:
            raise UnsupportedScalar(f"{show(self.place.path)} is not written line by line: change it by hand")
        return file_start + indentation + inner - line_start, indentation
