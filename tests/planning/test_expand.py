import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from support.makers import MakePlan, MakePlay, MakeTask

from drumline.diagnostics import Diagnostic, Position
from drumline.errors import FilesError
from drumline.model.host import Host, Inventory
from drumline.model.plan import Keep, Need, Plan, Step
from drumline.model.playbook import Amount, Barrier, Order, Play, Playbook, Task
from drumline.planning.expand import make_plan
from drumline.planning.views.data import as_json
from drumline.templating.failures import TemplateFailed


def waves(plan: Plan, play: int = 0, batch: int = 0) -> list[list[str]]:
    return [[plan.steps[index].task.id for index in wave] for wave in plan.plays[play].batches[batch].waves]


def needs(plan: Plan, name: str) -> list[str | Need]:
    step = next(step for step in plan.steps if step.task.id == name)
    return [plan.steps[need.step].task.id if need.step is not None else need for need in step.needs]


def test_a_file_without_needs_is_a_chain(plan: MakePlan, play: MakePlay, task: MakeTask) -> None:
    made = plan(play("p", task("a"), task("b"), task("c")))
    assert waves(made) == [["a"], ["b"], ["c"]]
    assert needs(made, "c") == ["b"]
    assert needs(made, "a") == []


def test_the_flagship_example_of_the_rules(plan: MakePlan, play: MakePlay, task: MakeTask) -> None:
    made = plan(
        play(
            "rollout",
            task("drain", hosts="lb"),
            task("stop", hosts="app"),
            task("migrate", ("stop",), hosts="db[0]"),
            task("unpack", ("stop",), hosts="app"),
            task("start", ("migrate", "unpack"), hosts="app"),
            hosts="app:db:lb",
        )
    )
    assert waves(made) == [["drain"], ["stop"], ["migrate", "unpack"], ["start"]]
    assert [step.hosts for step in made.steps] == [
        ("lb1",),
        ("app1", "app2", "app3"),
        ("db1",),
        ("app1", "app2", "app3"),
        ("app1", "app2", "app3"),
    ]
    assert [step.index for step in made.steps] == list(range(5))


def test_empty_needs_start_at_once(plan: MakePlan, play: MakePlay, task: MakeTask) -> None:
    assert waves(plan(play("p", task("a"), task("b", ()), task("c")))) == [["a", "b"], ["c"]]


def test_a_play_needs_the_play_before_it_and_its_roots_wait(plan: MakePlan, play: MakePlay, task: MakeTask) -> None:
    made = plan(play("one", task("a")), play("two", task("b"), task("c")), play("three", task("d"), needs=("one",)))
    assert needs(made, "b") == [Need(play=0)]
    assert needs(made, "c") == ["b"]
    assert needs(made, "d") == [Need(play=0)]
    assert [planned.needs for planned in made.plays] == [(), (0,), (0,)]


def test_plays_may_be_independent(plan: MakePlan, play: MakePlay, task: MakeTask) -> None:
    made = plan(play("one", task("a")), play("two", task("b"), needs=()))
    assert needs(made, "b") == []
    assert made.plays[1].needs == ()


def test_a_task_may_need_a_task_of_another_play(plan: MakePlan, play: MakePlay, task: MakeTask) -> None:
    made = plan(
        play("one", task("a"), task("b")),
        play("two", task("c", ("one.a",)), task("d", ("c", "one.b")), task("e", ("one",)), needs=()),
    )
    assert needs(made, "c") == ["a"]
    assert needs(made, "d") == ["c", "b"]
    assert needs(made, "e") == [Need(play=0)]
    assert waves(made, play=1) == [["c", "e"], ["d"]]


def test_what_tags_leave_out_hands_its_needs_on(plan: MakePlan, play: MakePlay, task: MakeTask) -> None:
    tagged = frozenset({"slow"})
    made = plan(
        play("p", task("a"), task("b", tags=tagged), task("c", tags=tagged), task("d"), task("e", ("b",))),
        play("q", task("f", tags=tagged), task("g")),
        skip_tags=["slow"],
    )
    assert waves(made) == [["a"], ["d", "e"]]
    assert needs(made, "d") == ["a"]
    assert needs(made, "e") == ["a"]
    assert needs(made, "g") == [Need(play=0)]


def test_a_play_of_which_nothing_is_left_hands_its_needs_on(plan: MakePlan, play: MakePlay, task: MakeTask) -> None:
    made = plan(play("one", task("a")), play("two", task("b"), hosts="db"), play("three", task("c")), limit="app")
    assert [len(planned.batches) for planned in made.plays] == [1, 0, 1]
    assert needs(made, "c") == [Need(play=0)]
    assert made.plays[2].needs == (0,)


def test_a_task_whose_hosts_the_limit_excludes_hands_its_needs_on(
    plan: MakePlan, play: MakePlay, task: MakeTask
) -> None:
    made = plan(play("p", task("a"), task("b", hosts="db"), task("c")), limit="app1:lb")
    assert waves(made) == [["a"], ["c"]]
    assert [step.hosts for step in made.steps] == [("app1",), ("app1",)]


def test_tasks_reach_hosts_outside_their_play(plan: MakePlan, play: MakePlay, task: MakeTask) -> None:
    assert plan(play("p", task("a", hosts="lb"))).steps[0].hosts == ("lb1",)


def test_every_wrong_pattern_is_reported_at_once(plan: MakePlan, play: MakePlay, task: MakeTask) -> None:
    with pytest.raises(FilesError) as error:
        plan(play("p", task("a", hosts="dbs"), task("b", hosts="nobody"), hosts="apq"))
    assert len(error.value.diagnostics) == 3
    assert "Did you mean 'app'?" in error.value.render()
    assert "site.yml:1:1" in error.value.render()


def test_patterns_that_cannot_be_rendered_are_reported_with_the_others(
    plan: MakePlan, play: MakePlay, task: MakeTask
) -> None:
    def render(value: Any, _play: Play) -> str:
        if "{{" in value:
            raise TemplateFailed("'target' is undefined.", Position("site.yml", 3, 10))
        return str(value)

    with pytest.raises(FilesError) as caught:
        plan(play("one", task("a"), hosts="{{ target }}"), play("two", task("b"), hosts="nowhere"), render=render)
    unrendered, unknown = caught.value.diagnostics
    assert (unrendered.detail, unrendered.position) == ("'target' is undefined.", Position("site.yml", 3, 10))
    assert unknown.summary == "A host pattern matches nothing"


def test_a_limit_that_matches_nothing_is_an_error(plan: MakePlan, play: MakePlay, task: MakeTask) -> None:
    with pytest.raises(FilesError, match="nobody") as error:
        plan(play("p", task("a")), limit="nobody")
    assert "--limit: No host and no group is called 'nobody'." in error.value.render()


def test_ten_thousand_hosts_are_planned_quickly_and_share_their_names(
    plan: MakePlan, play: MakePlay, task: MakeTask, inventory_of: Callable[[Mapping[str, Sequence[str]]], Inventory]
) -> None:
    fleet = inventory_of({"app": [f"app{number:05}" for number in range(10_000)]})
    tasks = [task(f"t{number}", hosts="app" if number % 2 else None) for number in range(20)]
    started = time.process_time()
    made = plan(play("p", *tasks), on=fleet)
    assert time.process_time() - started < 30
    assert sum(len(step.hosts) for step in made.steps) == 200_000
    assert len({id(step.hosts) for step in made.steps}) == 1


def test_many_plays_and_tasks_are_planned_quickly(plan: MakePlan, play: MakePlay, task: MakeTask) -> None:
    plays = [play(f"p{number}", *(task(f"t{at}") for at in range(10))) for number in range(1_000)]
    started = time.process_time()
    assert len(plan(*plays).steps) == 10_000
    assert time.process_time() - started < 30


ALL_AT_ONCE = st.just(())
BATCHES = st.lists(st.integers(1, 3).map(Amount), max_size=2).map(tuple)


@st.composite
def playbooks(draw: st.DrawFn, serial: st.SearchStrategy[tuple[Amount, ...]] = ALL_AT_ONCE) -> Playbook:
    """Plays whose tasks need earlier ones of theirs, by name or by being written after them."""
    plays = []
    for number in range(draw(st.integers(1, 3))):
        count = draw(st.integers(0, 7))
        tasks = []
        for at in range(count):
            names = [f"t{other}" for other in range(at)]
            named = st.lists(st.sampled_from(names), unique=True) if names else st.just([])
            chosen = draw(st.none() | named)
            hosts = draw(st.sampled_from([None, "app", "db", "lb", "all"]))
            tags = frozenset(draw(st.sets(st.sampled_from(["x", "y"]))))
            fields: dict[str, Any] = {"needs": None if chosen is None else tuple(chosen), "hosts": hosts, "tags": tags}
            tasks.append(Task(id=f"t{at}", name="t", action="ping", position=Position("p.yml"), **fields))
        more: dict[str, Any] = {"hosts": draw(st.sampled_from(["app", "db", "all"])), "serial": draw(serial)}
        plays.append(Play(id=f"p{number}", name="p", tasks=tuple(tasks), position=Position("p.yml"), **more))
    return Playbook(path="p.yml", plays=tuple(plays))


OPTIONS = st.fixed_dictionaries(
    {"limit": st.none() | st.sampled_from(["app", "db1", "lb"]), "tags": st.sets(st.sampled_from(["x", "y"]))}
)


def upstream(plan: Plan, step: Step) -> set[int]:
    """Indices of all steps that the step waits for: through its needs, theirs, and whole plays that they need."""
    found: set[int] = set()
    waiting = [step]
    while waiting:
        needs = waiting.pop().needs
        needed = {need.step for need in needs if need.step is not None}
        needed |= {
            other.index for need in needs if need.step is None for other in plan.steps if other.play == need.play
        }
        waiting += [plan.steps[index] for index in needed - found]
        found |= needed
    return found


def random_plan(playbook: Playbook, options: Any, fleet: Inventory) -> Plan:
    return make_plan(
        playbook,
        fleet,
        render_pattern=lambda value, _play: value,
        host_scope=lambda host, _play: host.variables,
        shuffle=tuple,
        **options,
    )


@given(playbooks(BATCHES), OPTIONS)
def test_a_step_comes_one_wave_after_the_last_of_its_needs(
    inventory: Inventory, playbook: Playbook, options: Any
) -> None:
    made = random_plan(playbook, options, inventory)
    for step in made.steps:
        before = [made.steps[need.step] for need in step.needs if need.step is not None]
        own = [other.wave for other in before if (other.play, other.batch) == (step.play, step.batch)]
        assert step.wave == max(own, default=-1) + 1


@given(playbooks(BATCHES), OPTIONS)
def test_waves_hold_every_step_once(inventory: Inventory, playbook: Playbook, options: Any) -> None:
    made = random_plan(playbook, options, inventory)
    listed = [
        (index, number, at, wave_number)
        for number, planned in enumerate(made.plays)
        for at, batch in enumerate(planned.batches)
        for wave_number, wave in enumerate(batch.waves)
        for index in wave
    ]
    assert sorted(index for index, *_ in listed) == list(range(len(made.steps)))
    for index, number, at, wave_number in listed:
        step = made.steps[index]
        assert (step.play, step.batch, step.wave) == (number, at, wave_number)
    assert all(wave for planned in made.plays for batch in planned.batches for wave in batch.waves)


@given(playbooks(BATCHES), OPTIONS)
def test_json_says_the_same_as_the_plan(inventory: Inventory, playbook: Playbook, options: Any) -> None:
    made = random_plan(playbook, options, inventory)
    listed = {
        (number, at, wave, job["task"], job["host"])
        for number, play in enumerate(json.loads(as_json(made))["plays"])
        for at, batch in enumerate(play["batches"])
        for wave, content in enumerate(batch["waves"])
        for job in content["jobs"]
    }
    expected = {(step.play, step.batch, step.wave, step.task.id, host) for step in made.steps for host in step.hosts}
    assert listed == expected


@given(playbooks(), OPTIONS)
def test_order_survives_what_is_left_out(inventory: Inventory, playbook: Playbook, options: Any) -> None:
    """Whatever one of two steps had to wait for in the whole playbook, it waits for in what is left of it."""
    whole = random_plan(playbook, {}, inventory)
    partial = random_plan(playbook, options, inventory)
    key = {step.index: (step.play, step.task.id) for step in whole.steps}
    left = {(step.play, step.task.id): step for step in partial.steps}
    for step in whole.steps:
        if key[step.index] in left:
            wanted = {left[key[index]].index for index in upstream(whole, step) if key[index] in left}
            assert upstream(partial, left[key[step.index]]) == wanted


@given(playbooks(BATCHES))
def test_order_survives_in_every_batch(inventory: Inventory, playbook: Playbook) -> None:
    """In its batch a step waits for what it waits for where all go at once, and for all batches of other plays."""
    together = replace(playbook, plays=tuple(replace(play, serial=()) for play in playbook.plays))
    whole, made = random_plan(together, {}, inventory), random_plan(playbook, {}, inventory)
    key = {step.index: (step.play, step.task.id) for step in whole.steps}
    before = {key[step.index]: {key[index] for index in upstream(whole, step)} for step in whole.steps}
    for step in made.steps:
        wanted = {
            other.index
            for other in made.steps
            if (other.play, other.task.id) in before[step.play, step.task.id]
            and (other.play != step.play or other.batch == step.batch)
        }
        assert upstream(made, step) == wanted


# Batches.


def batches(plan: Plan, play: int = 0) -> list[tuple[str, ...]]:
    return [batch.hosts for batch in plan.plays[play].batches]


def placed(plan: Plan, name: str) -> dict[int | None, tuple[str, ...]]:
    return {step.batch: step.hosts for step in plan.steps if step.task.id == name}


def test_steps_belong_to_the_batches_of_their_play(plan: MakePlan, play: MakePlay, task: MakeTask) -> None:
    made = plan(play("p", task("a"), task("b", hosts="lb"), serial=(Amount(2),)))
    assert batches(made) == [("app1", "app2"), ("app3",)]
    assert placed(made, "a") == {0: ("app1", "app2"), 1: ("app3",)}
    assert placed(made, "b") == {0: ("lb1",), 1: ("lb1",)}
    assert [step.needs for step in made.steps] == [(), (Need(step=0),), (), (Need(step=2),)]
    assert [waves(made, batch=batch) for batch in (0, 1)] == [[["a"], ["b"]]] * 2


def test_a_task_without_hosts_in_a_batch_hands_its_needs_on(plan: MakePlan, play: MakePlay, task: MakeTask) -> None:
    made = plan(
        play("p", task("a"), task("b", hosts="db"), task("c"), hosts="app:db", serial=(Amount(3),)),
        play("q", task("d", ("p.b",)), needs=()),
    )
    assert batches(made) == [("app1", "app2", "app3"), ("db1", "db2")]
    assert waves(made, batch=0) == [["a"], ["c"]]
    assert waves(made, batch=1) == [["a"], ["b"], ["c"]]
    assert [step.task.id for step in made.steps] == ["a", "c", "a", "b", "c", "d"]
    assert made.steps[1].needs == (Need(step=0),)
    assert made.steps[5].needs == (Need(step=0), Need(step=3))


def test_a_batch_may_have_nothing_to_do(plan: MakePlan, play: MakePlay, task: MakeTask) -> None:
    made = plan(play("p", task("a", hosts="db"), hosts="app:db", serial=(Amount(3),)), play("q", task("b")))
    assert waves(made, batch=0) == []
    assert waves(made, batch=1) == [["a"]]


def test_a_task_needs_all_batches_of_a_task_in_another_play(plan: MakePlan, play: MakePlay, task: MakeTask) -> None:
    made = plan(play("p", task("a"), serial=(Amount(1),)), play("q", task("b", ("p.a",)), needs=()))
    assert made.steps[3].needs == (Need(step=0), Need(step=1), Need(step=2))


def test_a_task_keeps_the_order_of_its_own_pattern(plan: MakePlan, play: MakePlay, task: MakeTask) -> None:
    made = plan(play("p", task("a", hosts="app3:lb:app2:app1"), serial=(Amount(2),)))
    assert placed(made, "a") == {0: ("lb1", "app2", "app1"), 1: ("app3", "lb1")}


def test_order_and_canary_make_the_batches(plan: MakePlan, play: MakePlay, task: MakeTask) -> None:
    made = plan(play("p", task("a"), order=Order.REVERSE_SORTED, canary=Amount(1)))
    assert made.plays[0].hosts == ("app3", "app2", "app1")
    assert batches(made) == [("app3",), ("app2", "app1")]
    assert [batch.canary for batch in made.plays[0].batches] == [True, False]
    drawn = plan(play("p", task("a"), order=Order.SHUFFLE), shuffle=lambda hosts: hosts[1:] + hosts[:1])
    assert drawn.plays[0].hosts == ("app2", "app3", "app1")


def test_the_values_of_hosts_decide_whom_a_batch_takes(plan: MakePlan, play: MakePlay, task: MakeTask) -> None:
    sites = {"app1": "north", "app2": "north", "app3": "south"}
    spread = play("p", task("a"), serial=(Amount(2),), spread_by="site")
    made = plan(spread, host_scope=lambda host, _play: {"site": sites[host.name]})
    assert batches(made) == [("app1", "app3"), ("app2",)]
    del sites["app1"], sites["app2"]
    made = plan(spread, host_scope=lambda host, _play: {"site": sites.get(host.name)})
    assert batches(made) == [("app1", "app3"), ("app2",)]  # no one knows that app1 and app2 differ


def test_what_stays_available_counts_hosts_out_of_the_play_too(plan: MakePlan, play: MakePlay, task: MakeTask) -> None:
    made = plan(play("p", task("a"), hosts="app1:app2:db", keep_available={"app": Amount(2)}))
    assert batches(made) == [("app1", "db1", "db2"), ("app2",)]
    assert made.plays[0].keep == (Keep(group="app", least=2, hosts=("app1", "app2", "app3")),)
    assert batches(plan(play("p", task("a"), keep_available={"app": Amount(2)}), limit="app1:app2")) == [
        ("app1",),
        ("app2",),
    ]


def mistake(plan: MakePlan, *plays: Play, **options: Any) -> Diagnostic:
    with pytest.raises(FilesError) as error:
        plan(*plays, **options)
    [found] = error.value.diagnostics
    return found


@pytest.mark.parametrize(
    ("kept", "detail"),
    [
        ({"ap": Amount(1)}, "No group is called 'ap'. Did you mean 'app'?"),
        ({"app": Amount(4)}, "'keep_available' asks for 4 hosts of group 'app', which has 3."),
        (
            {"app": Amount(100, percent=True)},
            "'keep_available' asks for all hosts of 'app' (3), so no batch can take app1. Ask for at most 2.",
        ),
    ],
)
def test_what_can_not_stay_available_is_told_at_its_place(
    plan: MakePlan, play: MakePlay, task: MakeTask, kept: dict[str, object], detail: str
) -> None:
    here = Position("site.yml", 7, 25)
    [group] = kept
    found = mistake(plan, play("p", task("a"), keep_available=kept, positions={f"keep_available.{group}": here}))
    assert (found.detail, found.position) == (detail, here)


def test_a_group_that_a_play_leaves_alone_may_have_to_be_complete(
    plan: MakePlan, play: MakePlay, task: MakeTask
) -> None:
    assert batches(plan(play("p", task("a"), keep_available={"db": Amount(2)}))) == [("app1", "app2", "app3")]


def test_values_that_no_host_has_are_told(plan: MakePlan, play: MakePlay, task: MakeTask) -> None:
    spread = play("p", task("a"), spread_by="sites")
    found = mistake(plan, spread, host_scope=lambda _host, _play: {"site": "north"})
    assert found.detail == "No host of the play has the variable 'sites'."

    def broken(_host: Host, _play: Play) -> None:
        raise TemplateFailed("'region' is undefined", Position("hosts.yml", 3, 9))

    found = mistake(plan, spread, host_scope=broken)
    assert found.detail == "'sites' can't be rendered: 'region' is undefined"
    assert found.position == Position("hosts.yml", 3, 9)


def test_a_wave_has_the_barrier_of_its_tasks_else_of_the_play(plan: MakePlan, play: MakePlay, task: MakeTask) -> None:
    quick, patient = Barrier(deadline=5), Barrier(quorum=Amount(90, percent=True))
    made = plan(
        play("p", task("a"), task("b", barrier=quick), task("c", ("a",)), task("d", barrier=quick), barrier=patient)
    )
    assert waves(made) == [["a"], ["b", "c"], ["d"]]
    assert made.plays[0].batches[0].barriers == (patient, quick, quick)


def test_barriers_of_one_wave_that_contradict_each_other_are_told_once(
    plan: MakePlan, play: MakePlay, task: MakeTask
) -> None:
    here = Position("site.yml", 9, 7)
    first = task("a", (), barrier=Barrier(deadline=5))
    second = task("b", (), barrier=Barrier(deadline=6), positions={"barrier": here})
    found = mistake(plan, play("p", first, second, serial=(Amount(1),)))
    assert found.detail.startswith("'a' (line 1) and 'b' are in the same wave, which has one barrier.")
    assert found.position == here


def test_a_thousand_batches_are_planned_quickly(
    plan: MakePlan, play: MakePlay, task: MakeTask, inventory_of: Callable[[Mapping[str, Sequence[str]]], Inventory]
) -> None:
    fleet = inventory_of({"app": [f"app{number:04}" for number in range(2_000)], "lb": ["lb1"]})
    tasks = (task("a", hosts="lb"), task("b"), task("c", hosts="app"), task("d", hosts="app:lb"))
    started = time.process_time()
    made = plan(play("p", *tasks, serial=(Amount(2),)), on=fleet)
    assert len(made.steps) == 4_000
    assert time.process_time() - started < 5
