import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drumline.diagnostics import Position
from drumline.errors import FilesError
from drumline.loading.templating import TemplateFailed
from drumline.model.plan import Need
from drumline.model.playbook import Play, Playbook, Task
from drumline.planning.expand import make_plan
from drumline.planning.render import as_json
from drumline.planning.upstream import upstream


def waves(plan, play=0, batch=0):
    return [[plan.steps[index].task.id for index in wave] for wave in plan.plays[play].batches[batch].waves]


def needs(plan, name):
    step = next(step for step in plan.steps if step.task.id == name)
    return [plan.steps[need.step].task.id if need.step is not None else need for need in step.needs]


def test_a_file_without_needs_is_a_chain(plan, play, task):
    made = plan(play("p", task("a"), task("b"), task("c")))
    assert waves(made) == [["a"], ["b"], ["c"]]
    assert needs(made, "c") == ["b"]
    assert needs(made, "a") == []


def test_the_flagship_example_of_the_rules(plan, play, task):
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


def test_empty_needs_start_at_once(plan, play, task):
    assert waves(plan(play("p", task("a"), task("b", ()), task("c")))) == [["a", "b"], ["c"]]


def test_a_play_needs_the_play_before_it_and_its_roots_wait(plan, play, task):
    made = plan(play("one", task("a")), play("two", task("b"), task("c")), play("three", task("d"), needs=("one",)))
    assert needs(made, "b") == [Need(play=0)]
    assert needs(made, "c") == ["b"]
    assert needs(made, "d") == [Need(play=0)]
    assert [planned.needs for planned in made.plays] == [(), (0,), (0,)]


def test_plays_may_be_independent(plan, play, task):
    made = plan(play("one", task("a")), play("two", task("b"), needs=()))
    assert needs(made, "b") == []
    assert made.plays[1].needs == ()


def test_a_task_may_need_a_task_of_another_play(plan, play, task):
    made = plan(
        play("one", task("a"), task("b")),
        play("two", task("c", ("one.a",)), task("d", ("c", "one.b")), task("e", ("one",)), needs=()),
    )
    assert needs(made, "c") == ["a"]
    assert needs(made, "d") == ["c", "b"]
    assert needs(made, "e") == [Need(play=0)]
    assert waves(made, play=1) == [["c", "e"], ["d"]]


def test_what_tags_leave_out_hands_its_needs_on(plan, play, task):
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


def test_a_play_of_which_nothing_is_left_hands_its_needs_on(plan, play, task):
    made = plan(play("one", task("a")), play("two", task("b"), hosts="db"), play("three", task("c")), limit="app")
    assert [len(planned.batches) for planned in made.plays] == [1, 0, 1]
    assert needs(made, "c") == [Need(play=0)]
    assert made.plays[2].needs == (0,)


def test_a_task_whose_hosts_the_limit_excludes_hands_its_needs_on(plan, play, task):
    made = plan(play("p", task("a"), task("b", hosts="db"), task("c")), limit="app1:lb")
    assert waves(made) == [["a"], ["c"]]
    assert [step.hosts for step in made.steps] == [("app1",), ("app1",)]


def test_tasks_reach_hosts_outside_their_play(plan, play, task):
    assert plan(play("p", task("a", hosts="lb"))).steps[0].hosts == ("lb1",)


def test_every_wrong_pattern_is_reported_at_once(plan, play, task):
    with pytest.raises(FilesError) as error:
        plan(play("p", task("a", hosts="dbs"), task("b", hosts="nobody"), hosts="apq"))
    assert len(error.value.diagnostics) == 3
    assert "Did you mean 'app'?" in error.value.render()
    assert "site.yml:1:1" in error.value.render()


def test_patterns_that_cannot_be_rendered_are_reported_with_the_others(plan, play, task):
    def render(value, _play):
        if "{{" in value:
            raise TemplateFailed("'target' is undefined.", Position("site.yml", 3, 10))
        return value

    with pytest.raises(FilesError) as caught:
        plan(play("one", task("a"), hosts="{{ target }}"), play("two", task("b"), hosts="nowhere"), render=render)
    unrendered, unknown = caught.value.diagnostics
    assert (unrendered.detail, unrendered.position) == ("'target' is undefined.", Position("site.yml", 3, 10))
    assert unknown.summary == "A host pattern matches nothing"


def test_a_limit_that_matches_nothing_is_an_error(plan, play, task):
    with pytest.raises(FilesError, match="nobody") as error:
        plan(play("p", task("a")), limit="nobody")
    assert "--limit: No host and no group is called 'nobody'." in error.value.render()


def test_ten_thousand_hosts_are_planned_quickly_and_share_their_names(plan, play, task, inventory_of):
    fleet = inventory_of({"app": [f"app{number:05}" for number in range(10_000)]})
    tasks = [task(f"t{number}", hosts="app" if number % 2 else None) for number in range(20)]
    started = time.perf_counter()
    made = plan(play("p", *tasks), on=fleet)
    assert time.perf_counter() - started < 30
    assert sum(len(step.hosts) for step in made.steps) == 200_000
    assert len({id(step.hosts) for step in made.steps}) == 1


def test_many_plays_and_tasks_are_planned_quickly(plan, play, task):
    plays = [play(f"p{number}", *(task(f"t{at}") for at in range(10))) for number in range(1_000)]
    started = time.perf_counter()
    assert len(plan(*plays).steps) == 10_000
    assert time.perf_counter() - started < 30


@st.composite
def playbooks(draw):
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
            fields = {"needs": None if chosen is None else tuple(chosen), "hosts": hosts, "tags": tags}
            tasks.append(Task(id=f"t{at}", name="t", action="ping", position=Position("p.yml"), **fields))
        pattern = draw(st.sampled_from(["app", "db", "all"]))
        plays.append(Play(id=f"p{number}", name="p", hosts=pattern, tasks=tuple(tasks), position=Position("p.yml")))
    return Playbook(path="p.yml", plays=tuple(plays))


OPTIONS = st.fixed_dictionaries(
    {"limit": st.none() | st.sampled_from(["app", "db1", "lb"]), "tags": st.sets(st.sampled_from(["x", "y"]))}
)


def random_plan(playbook, options, fleet):
    return make_plan(
        playbook,
        fleet,
        render_pattern=lambda value, _play: value,
        host_scope=lambda host, _play: host.variables,
        shuffle=tuple,
        **options,
    )


@given(playbooks(), OPTIONS)
def test_a_step_comes_one_wave_after_the_last_of_its_needs(inventory, playbook, options):
    made = random_plan(playbook, options, inventory)
    for step in made.steps:
        before = [made.steps[need.step] for need in step.needs if need.step is not None]
        own = [other.wave for other in before if (other.play, other.batch) == (step.play, step.batch)]
        assert step.wave == max(own, default=-1) + 1


@given(playbooks(), OPTIONS)
def test_waves_hold_every_step_once(inventory, playbook, options):
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


@given(playbooks(), OPTIONS)
def test_json_says_the_same_as_the_plan(inventory, playbook, options):
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
def test_order_survives_what_is_left_out(inventory, playbook, options):
    """Whatever one of two steps had to wait for in the whole playbook, it waits for in what is left of it."""
    whole = random_plan(playbook, {}, inventory)
    partial = random_plan(playbook, options, inventory)
    key = {step.index: (step.play, step.task.id) for step in whole.steps}
    left = {(step.play, step.task.id): step for step in partial.steps}
    for step in whole.steps:
        if key[step.index] in left:
            wanted = {left[key[index]].index for index in upstream(whole, step) if key[index] in left}
            assert upstream(partial, left[key[step.index]]) == wanted
