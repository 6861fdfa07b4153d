"""The store keeps its promises on a real PostgreSQL."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text

from bot.adapters.database.store import PostgresStore
from bot.adapters.database.tables import metadata
from bot.domain.hold import Hold, Quarantine
from bot.domain.promotion import AliasDue, PinChange, Promotion, Stage, TagDue
from bot.domain.retrain import Retraining
from bot.jobs.store import Delivery, RequestRow, Watched
from bot.ports import Installed

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
MODELS = Installed(7, "acme/models", 1)


def promotion(**changes) -> Promotion:
    made = Promotion(
        id="p1",
        repository="acme/models",
        model="fraud",
        environment="production",
        candidate="2",
        baseline="1",
        stage=Stage.WAITING,
        requested_by="alias candidate",
        created_at=NOW,
        stage_since=NOW,
    )
    return replace(made, **changes)


def jobs(engine: Engine) -> list[tuple[str, dict]]:
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT task_name, args FROM procrastinate_jobs ORDER BY id")).all()
    return [(row.task_name, row.args) for row in rows]


def test_the_migrations_make_exactly_the_tables_of_the_metadata(engine):
    """A table that changed without a migration is found here."""
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_name": lambda name, kind, _: kind != "table" or not name.startswith("procrastinate")
            },
        )
        differences = compare_metadata(context, metadata)

    assert differences == []


def test_a_delivery_is_accepted_once_and_wakes_one_job(store: PostgresStore, engine):
    """A delivery seen before is answered and does nothing."""
    delivery = Delivery("github", "d1", {"type": "Ping"})

    assert store.accept(delivery)
    assert not store.accept(delivery)
    assert jobs(engine) == [("slipway.receive", {"source": "github", "delivery": "d1"})]


def test_a_finished_delivery_is_not_handed_out_again(store: PostgresStore):
    """What is done is done."""
    store.accept(Delivery("github", "d1", {"type": "Ping"}))
    store.finish("github", "d1")

    assert store.delivery("github", "d1") is None


def test_a_delivery_whose_job_was_lost_is_woken_again(store: PostgresStore, engine):
    """Nothing depends on one job."""
    store.accept(Delivery("github", "d1", {"type": "Ping"}))

    assert store.reclaim_deliveries(timedelta(seconds=30)) == 0
    assert store.reclaim_deliveries(timedelta(seconds=-1)) == 1
    assert len(jobs(engine)) == 2


def test_a_promotion_comes_back_as_it_was_saved(store: PostgresStore):
    """Every field survives the database."""
    made = promotion(
        changes=(PinChange(0, "a.yaml", "v1", "v2"),),
        due=(AliasDue("champion", "2"), TagDue("2", "k", "v")),
        live_at=NOW,
        head_sha="abc",
    )
    store.create(promotion())
    loaded = store.load("p1")
    assert store.save(loaded, made, wake_at=None)

    assert store.load("p1").promotion == replace(made, revision=1)


def test_the_same_version_is_under_way_once(store: PostgresStore):
    """Two events for one version begin one promotion."""
    assert store.create(promotion())
    assert not store.create(promotion(id="p2"))
    assert store.create(promotion(id="p3", candidate="3"))


def test_a_save_on_an_old_revision_changes_nothing(store: PostgresStore):
    """Of two savers the second one has to look again."""
    store.create(promotion())
    first = store.load("p1")
    second = store.load("p1")

    assert store.save(first, replace(first.promotion, reason="one"), wake_at=None)
    assert not store.save(second, replace(second.promotion, reason="two"), wake_at=None)
    assert store.load("p1").promotion.reason == "one"


def test_a_wake_that_came_in_between_wins_over_the_planned_one(store: PostgresStore):
    """An event that arrives while a promotion is looked at is never lost."""
    store.create(promotion())
    loaded = store.load("p1")
    store.wake(["p1"])
    store.save(loaded, loaded.promotion, wake_at=NOW + timedelta(days=365))

    assert store.claim_due(timedelta(seconds=30), 10) == 1


def test_what_is_due_is_claimed_once_until_its_lease_ends(store: PostgresStore):
    """Two replicas that sweep do not both wake everything."""
    store.create(promotion())

    assert store.claim_due(timedelta(seconds=30), 10) == 1
    assert store.claim_due(timedelta(seconds=30), 10) == 0


def test_who_found_the_place_locked_comes_back_before_its_lease_ends(store: PostgresStore):
    """A wake that met another promotion's lock is not late by a whole lease."""
    store.create(promotion())
    store.claim_due(timedelta(hours=1), 10)
    store.come_back("p1", timedelta(minutes=1))
    assert store.claim_due(timedelta(hours=1), 10) == 0

    store.come_back("p1", timedelta(0))
    assert store.claim_due(timedelta(hours=1), 10) == 1


def test_a_change_of_stage_is_written_into_the_audit(store: PostgresStore):
    """Who, when, what and why can be read later."""
    store.create(promotion())
    loaded = store.load("p1")
    after = replace(loaded.promotion, stage=Stage.OPEN, stage_since=NOW, reason="The bump is open.")
    store.save(loaded, after, wake_at=None, actor="ada")

    assert [(line.stage_from, line.stage_to, line.actor) for line in store.transitions("p1")] == [
        ("", "waiting", "alias candidate"),
        ("waiting", "open", "ada"),
    ]


def test_only_one_at_a_time_holds_a_lock(store: PostgresStore):
    """Two workers never work on one place at once."""
    with (
        store.exclusive("place") as first,
        store.exclusive("place") as second,
        store.exclusive("elsewhere") as other,
    ):
        assert (first, second, other) == (True, False, True)
    with store.exclusive("place") as again:
        assert again


def test_commands_of_a_comment_are_remembered_once_and_answered_once(store: PostgresStore):
    """A comment delivered twice is obeyed once."""
    row = RequestRow("acme/models", 7, "ada", {"type": "Promote"}, 99, 0)
    store.add_requests([row])
    store.add_requests([row])
    (pending,) = store.pending_requests("acme/models", [7], "p1")
    store.create(promotion())
    loaded = store.load("p1")
    store.save(loaded, loaded.promotion, wake_at=None, answered=[pending.id])

    assert pending.command == {"type": "Promote"}
    assert store.pending_requests("acme/models", [7], "p1") == []


def test_a_hold_stops_its_place_and_a_hold_on_everything_stops_all(store: PostgresStore):
    """A hold survives until a person releases it."""
    store.place_hold(Hold("acme/models", "fraud", "production", "ada", "incident", NOW))
    store.place_hold(Hold("acme/models", "fraud", "production", "bob", "again", NOW))
    store.place_hold(Hold("acme/models", None, None, "eve", "stop the line", NOW))

    assert [hold.owner for hold in store.holds("acme/models", "fraud", "production")] == ["eve", "ada"]
    assert [hold.owner for hold in store.holds("acme/models", "other", "staging")] == ["eve"]
    store.release_hold("acme/models", None, None, "ada", NOW)
    assert [hold.owner for hold in store.holds("acme/models", "fraud", "production")] == ["ada"]


def test_quarantine_stands_until_it_is_lifted(store: PostgresStore):
    """A version that failed stays out until a person says so."""
    store.place_quarantine(Quarantine("acme/models", "fraud", "production", "3", "slow", NOW, 12))
    found = store.quarantine("acme/models", "fraud", "production", "3")
    store.lift_quarantine("acme/models", "fraud", "production", "3", by="ada", reason="fixed data", at=NOW)

    assert found is not None
    assert (found.reason, found.pull) == ("slow", 12)
    assert store.quarantine("acme/models", "fraud", "production", "3") is None


def test_the_windows_of_a_watch_are_kept_in_order(store: PostgresStore):
    """A verdict can be replayed from what was stored."""
    store.create(promotion())
    for number in range(3):
        loaded = store.load("p1")
        watched = Watched({"step": number}, [{"time": number}])
        store.save(loaded, loaded.promotion, wake_at=None, watched=watched)

    assert store.watched("p1") == {"step": 2}
    assert [window["time"] for window in store.windows("p1")] == [0, 1, 2]


def test_a_repository_keeps_its_configuration_while_it_stays_installed(store: PostgresStore):
    """A new listing of installations hides nothing but what was removed."""
    store.set_repositories([MODELS, Installed(8, "acme/gone", 1)])
    store.set_configuration("acme/models", {"slipway.yaml": "version: 1"}, "abc")
    store.set_repositories([replace(MODELS, installation=2)])

    (kept,) = store.repositories()
    assert (kept.name, kept.installation, kept.commit) == ("acme/models", 2, "abc")
    assert store.repository("acme/gone") is None


def test_a_repository_that_comes_back_finds_its_own_again(store: PostgresStore):
    """A suspended App forgets neither configuration nor promotions; what is under way is looked at."""
    store.set_repositories([MODELS])
    store.set_configuration("acme/models", {"slipway.yaml": "version: 1"}, "abc")
    store.create(promotion())
    store.set_repositories([])

    assert store.repositories() == []

    wakes = store.load("p1").wakes
    store.set_repositories([MODELS])

    assert store.repository("acme/models").commit == "abc"
    assert store.load("p1").wakes == wakes + 1


def kept(store: PostgresStore, name: str) -> list[bool]:
    """Whether one of each thing stands under a name."""
    return [
        bool(found)
        for found in (
            [each for each in store.under_way(name, "fraud", "production") if each.repository == name],
            store.pending_requests(name, [5], "p1"),
            store.holds(name, "fraud", "production"),
            store.quarantine(name, "fraud", "production", "9"),
            store.wanted(name, "fraud"),
            [each for each in store.retrainings(9) if each.repository == name],
        )
    ]


@pytest.fixture
def filled(store: PostgresStore) -> PostgresStore:
    """A repository of which everything is kept that can be."""
    here = ("acme/models", "fraud", "production")
    store.set_repositories([MODELS])
    store.create(promotion(pull=5))
    store.add_requests([RequestRow("acme/models", 5, "ada", {}, 1, 0, promotion="p1")])
    store.place_hold(Hold(*here, "ada", "Friday", NOW))
    store.place_quarantine(Quarantine(*here, "9", "slow", NOW))
    store.set_wanted("acme/models", "fraud", "7")
    store.ask_retraining(Retraining(*here, "1", "p1", "burn", "too slow", {}, NOW), NOW)
    return store


def test_a_renamed_repository_takes_everything_along(filled: PostgresStore):
    """By its id, to another owner too; what is under way is looked at."""
    wakes = filled.load("p1").wakes
    filled.set_repositories([replace(MODELS, name="emca/sledom", installation=2)])

    assert all(kept(filled, "emca/sledom"))
    assert not any(kept(filled, "acme/models"))
    assert filled.repository("acme/models") is None
    assert filled.repository("emca/sledom").installation == 2
    assert filled.load("p1").wakes == wakes + 1


def test_what_was_decided_about_the_old_name_is_not_saved(filled: PostgresStore):
    """A look that began before the repository was renamed begins again."""
    loaded = filled.load("p1")
    filled.set_repositories([replace(MODELS, name="acme/other")])

    assert not filled.save(loaded, replace(loaded.promotion, reason="stale"), wake_at=None)
    assert filled.load("p1").promotion.repository == "acme/other"


def test_repositories_that_exchange_their_names_keep_their_own(filled: PostgresStore):
    """Neither takes anything of the other."""
    other = Installed(8, "acme/other", 1)
    filled.set_repositories([MODELS, other])
    filled.set_repositories([replace(MODELS, name="acme/other"), replace(other, name="acme/models")])

    assert all(kept(filled, "acme/other"))
    assert not any(kept(filled, "acme/models"))


def test_another_repository_under_a_name_that_is_free_again_inherits_nothing(filled: PostgresStore):
    """Deleted and made anew: its pull requests are others, whatever their numbers."""
    filled.set_repositories([replace(MODELS, id=99)])

    assert not any(kept(filled, "acme/models"))

    filled.set_repositories([replace(MODELS, id=99, name="acme/second"), MODELS])

    assert all(kept(filled, "acme/models"))
