from drumline.planning.upstream import upstream


def names(plan, name):
    step = next(step for step in plan.steps if step.task.id == name)
    return {plan.steps[index].task.id for index in upstream(plan, step)}


def test_upstream_is_everything_that_must_be_over_before(plan, play, task):
    made = plan(
        play("one", task("a"), task("b", ()), task("c", ("a",))),
        play("two", task("d", ()), task("e", ("d",)), needs=()),
        play("three", task("f"), task("g", ("two.e",)), needs=("one",)),
    )
    assert names(made, "a") == set()
    assert names(made, "c") == {"a"}
    assert names(made, "f") == {"a", "b", "c"}
    assert names(made, "g") == {"a", "b", "c", "d", "e"}
