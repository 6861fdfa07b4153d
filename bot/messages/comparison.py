"""Candidate beside baseline, apart from the metrics: what changed, each part a section of its own."""

from collections.abc import Collection, Mapping, Sequence

from bot.domain.comparison import (
    Comparison,
    SignatureChange,
    ValueChange,
    libraries_of,
)
from bot.domain.evidence import Column, Dataset, Signature, VersionEvidence
from bot.messages import metrics, numbers
from bot.messages.escape import Markdown, code, link, quoted, text
from bot.messages.layout import cut_after, folded, lines, md, paragraphs, table
from bot.messages.numbers import NOTHING

MOST_ROWS = 150


def facts(comparison: Comparison) -> Markdown:
    """The other facts, one line each: signature, data, code, training, size, licence."""
    new, old = comparison.candidate, comparison.baseline
    if new.prompt is not None:
        return lines(
            md("- **Variables:** {}", _variables(comparison)),
            md("- **Written:** {}", _trained(new)),
        )
    return lines(
        md("- **Changed:** {}", _changed(comparison)),
        md("- **Signature:** {}", signature_sentence(comparison)),
        md("- **Data:** {}", _data(comparison)),
        md("- **Code:** {}", _code(comparison)),
        md("- **Trained:** {}", _trained(new)),
        md("- **Model:** {}", _made_of(new, old)),
        md("- **Prompts:** {}", _versions(comparison.prompts, old)) if comparison.prompts else None,
        md("- **Tools:** {}", _versions(comparison.tools, old)) if comparison.tools else None,
        md("- **Description:** not recorded") if not new.description.strip() else None,
        *(md("- **Not readable:** {}", text(reason, 300)) for reason in new.unreadable[:5]),
    )


def _changed(comparison: Comparison) -> Markdown:
    """Parameters and libraries that changed, by name; the values of all are folded below."""
    new = comparison.candidate
    kinds = {
        "parameter": (new.parameters, comparison.parameters),
        "library": (new.libraries, comparison.libraries),
    }
    told = [_named(kind, changes) for kind, (recorded, changes) in kinds.items() if recorded and changes]
    told += [
        md("{} not recorded", Markdown(_MANY[kind])) for kind, (recorded, _) in kinds.items() if not recorded
    ]
    if comparison.baseline is None:
        told = [md("nothing to compare with"), *told]
    return Markdown("; ".join(told) or "neither parameters nor libraries")


_MANY = {"parameter": "parameters", "library": "libraries"}


def _named(kind: str, changes: Sequence[ValueChange]) -> Markdown:
    shown = [md("{} ({} → {})", code(c.name, 40), _short(c.old), _short(c.new)) for c in changes[:3]]
    many = kind if len(changes) == 1 else _MANY[kind]
    more = f" and {len(changes) - 3} more" if len(changes) > len(shown) else ""
    return Markdown(f"{len(changes)} {many}: {', '.join(shown)}{more}")


def _versions(named: Sequence[ValueChange], old: VersionEvidence | None) -> Markdown:
    """Prompts or tools with their versions, and what the baseline had."""
    shown = [_version(value, known=old is not None) for value in named[:10]]
    more = f" and {len(named) - 10} more" if len(named) > len(shown) else ""
    return Markdown(", ".join(shown) + more)


def _version(value: ValueChange, *, known: bool) -> Markdown:
    name = code(value.name, 80)
    if value.old == value.new or not known:
        return md("{} {}", name, _short(value.new))
    return md("{} ({} → **{}**)", name, _short(value.old), _short(value.new))


def _short(value: str | None) -> Markdown:
    return NOTHING if value is None else text(value, 20)


def _variables(comparison: Comparison) -> Markdown:
    """What callers of a prompt must send."""
    new, change = comparison.candidate, comparison.signature
    names = [code(column.name, 40) for column in (new.signature.inputs if new.signature else ())]
    shown = Markdown(", ".join(names[:10]) or "none")
    if change is None:
        return shown
    if change.breaking:
        return md("{}; **breaks callers**: {}", shown, text("; ".join(change.breaks[:5]), 400))
    return md("{}, {}", shown, Markdown("unchanged" if change.unchanged else "fewer than before"))


def signature_sentence(comparison: Comparison) -> Markdown:
    new, old, change = comparison.candidate, comparison.baseline, comparison.signature
    if new.signature is None:
        return md("not recorded")
    counts = Markdown(f"{_count(new.signature.inputs, 'input')}, {_count(new.signature.outputs, 'output')}")
    if old is None:
        return counts
    if change is None:
        return md("{}; the baseline's is not recorded", counts)
    if change.unchanged:
        return md("unchanged ({})", counts)
    if not change.breaking:
        return md("changed, callers of the baseline keep working ({})", counts)
    shown = text("; ".join(change.breaks[:5]), 400)
    more = len(change.breaks) - 5
    return md("**breaks callers**: {}{}", shown, md("; and {} more", more) if more > 0 else Markdown(""))


def _count(columns: Sequence[Column], kind: str) -> str:
    return f"{len(columns)} {kind}{'' if len(columns) == 1 else 's'}"


def details(comparison: Comparison) -> Sequence[Markdown]:
    """Folded sections, the most telling first."""
    new, old = comparison.candidate, comparison.baseline
    return [
        metrics.more(comparison),
        _values("Parameters that changed", comparison.parameters)
        if old
        else _listed("Parameters", new.parameters),
        _signature(comparison.signature, new.signature) if new.prompt is None else Markdown(""),
        _libraries(comparison),
        _tags(new),
        folded("Description", quoted(new.description)) if new.description.strip() else Markdown(""),
    ]


def _data(comparison: Comparison) -> Markdown:
    new, old = comparison.candidate, comparison.baseline
    if not new.datasets:
        return md("not recorded")
    before = {item.digest for item in old.datasets} if old else set()
    after = {item.digest for item in new.datasets}
    gone = [item for item in old.datasets if item.digest not in after] if old else []
    shown = [_dataset(item, _against(item, before)) for item in new.datasets[:5]]
    shown += [_dataset(item, md(", the baseline's only")) for item in gone[:3]]
    hidden = len(new.datasets) + len(gone) - len(shown)
    return Markdown("; ".join(shown) + (f" and {hidden} more" if hidden else ""))


def _against(item: Dataset, before: Collection[str]) -> Markdown:
    if not before:
        return Markdown("")
    return md(", the baseline's too") if item.digest in before else md(", **new**")


def _dataset(item: Dataset, said: Markdown) -> Markdown:
    context = md(" ({})", text(item.context, 40)) if item.context else Markdown("")
    return md("{} {}{}{}", text(item.name, 80), code(item.digest, 24), context, said)


def _code(comparison: Comparison) -> Markdown:
    new, old = comparison.candidate, comparison.baseline
    if not new.git_commit:
        return md("commit not recorded")
    branch = md(" on {}", code(new.git_branch, 80)) if new.git_branch else md(", branch not recorded")
    shown = md("{}{}", code(new.git_commit[:12], 12), branch)
    if compare := comparison.compare_url:
        return md("{}, {}", shown, link(md("changes since the baseline"), compare))
    if old is None:
        return shown
    if old.git_commit is None:
        return md("{}; the baseline's is not recorded", shown)
    if old.git_commit == new.git_commit:
        return md("{}, the baseline's too", shown)
    return md("{}; the baseline's is {}", shown, code(old.git_commit[:12], 12))


def _trained(new: VersionEvidence) -> Markdown:
    """When and by whom; registering is not training, and is told as what it is."""
    if new.trained_at is not None:
        when = numbers.moment(new.trained_at)
    elif new.prompt is not None:
        when = numbers.moment(new.created_at)
    else:
        registered = (
            md(" (registered {})", numbers.moment(new.created_at)) if new.created_at else Markdown("")
        )
        when = md("when is not recorded{}", registered)
    by = md("by {}", text(new.creator, 60)) if new.creator else md("by whom is not recorded")
    return md("{}, {}", when, by)


def _made_of(new: VersionEvidence, old: VersionEvidence | None) -> Markdown:
    flavors = [code(flavor, 40) for flavor in new.flavors[:5]]
    parts = flavors or [md("flavor not recorded")]
    parts.append(md("Python {}", text(new.python_version, 20) if new.python_version else md("not recorded")))
    grown = Markdown("")
    if old is not None and old.size_bytes is not None and new.size_bytes is not None:
        grown = md(" (baseline {})", numbers.size(old.size_bytes))
    size = numbers.size(new.size_bytes) if new.size_bytes is not None else md("not recorded")
    parts.append(md("size {}{}", size, grown))
    parts.append(md("licence {}", text(new.licence, 60) if new.licence else md("not recorded")))
    return Markdown(", ".join(parts))


def _values(title: str, changes: Sequence[ValueChange]) -> Markdown:
    if not changes:
        return Markdown("")
    rows = [(code(c.name, 80), _value(c.old), _value(c.new)) for c in changes[:MOST_ROWS]]
    body = cut_after(MOST_ROWS, table(("Name", "Baseline", "Candidate"), rows), len(changes))
    return folded(f"{title} ({len(changes)})", body)


def _listed(title: str, recorded: Mapping[str, str]) -> Markdown:
    if not recorded:
        return Markdown("")
    rows = [(code(name, 80), _value(value)) for name, value in list(recorded.items())[:MOST_ROWS]]
    return folded(
        f"{title} ({len(recorded)})", cut_after(MOST_ROWS, table(("Name", "Value"), rows), len(recorded))
    )


def _libraries(comparison: Comparison) -> Markdown:
    """All that are known, those that changed first."""
    known = libraries_of(comparison.candidate)
    if comparison.baseline is None or not known:
        return _listed("Python and libraries", known)
    changed = {change.name for change in comparison.libraries}
    same = [ValueChange(name, value, value) for name, value in known.items() if name not in changed]
    return _values(f"Python and libraries, {len(changed)} changed", [*comparison.libraries, *same])


def _value(value: str | None) -> Markdown:
    return NOTHING if value is None else code(value, 120)


def _signature(change: SignatureChange | None, signature: Signature | None) -> Markdown:
    if signature is None:
        return Markdown("")
    if change is not None and not change.unchanged:
        rows = [(md("added"), code(name, 80), NOTHING) for name in change.added]
        rows += [(md("removed"), code(name, 80), NOTHING) for name in change.removed]
        rows += [
            (md("retyped"), code(c.name, 80), md("{} → {}", _value(c.old), _value(c.new)))
            for c in change.retyped
        ]
        body = cut_after(MOST_ROWS, table(("Change", "Column", "Type"), rows[:MOST_ROWS]), len(rows))
        breaks = lines(*(md("- {}", text(sentence, 200)) for sentence in change.breaks[:MOST_ROWS]))
        return folded("Signature changes", paragraphs(body, breaks))
    columns = [("input", c) for c in signature.inputs] + [("output", c) for c in signature.outputs]
    columns += [("parameter", c) for c in signature.params]
    rows = [_column(kind, column) for kind, column in columns[:MOST_ROWS]]
    return folded("Signature", cut_after(MOST_ROWS, table(("", "Column", "Type"), rows), len(columns)))


def _column(kind: str, column: Column) -> tuple[Markdown, Markdown, Markdown]:
    optional = Markdown("" if column.required or kind == "parameter" else ", optional")
    return Markdown(kind), code(column.name, 80), md("{}{}", code(column.type, 80), optional)


def _tags(new: VersionEvidence) -> Markdown:
    shown = {key: value for key, value in sorted(new.tags.items()) if not key.startswith("mlflow.")}
    if not shown:
        return Markdown("")
    rows = [(code(key, 80), text(value, 200)) for key, value in list(shown.items())[:MOST_ROWS]]
    return folded(f"Tags ({len(shown)})", cut_after(MOST_ROWS, table(("Tag", "Value"), rows), len(shown)))
