"""Handlers as they are written, and at which flush points of a play each of them may run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from support.makers import Mistakes, ReadPlaybook

from drumline.diagnostics import Diagnostics
from drumline.inventory.scopes import Scopes
from drumline.loading.handlers import with_handlers
from drumline.loading.needs import needs_of
from drumline.model.host import Inventory
from drumline.model.playbook import MetaTask, Play, Section
from drumline.planning.tags import selected
from drumline.templating.templates import Templating


class Placed:
    """A play of which the handlers stand at its flush points, and what was found wrong meanwhile."""

    def __init__(self, read: ReadPlaybook, text: str, *, tags: tuple[str, ...] = (), force: bool = False) -> None:
        playbook = read(text)
        self.found, self.warnings = Diagnostics(), Diagnostics()
        scopes = Scopes(Inventory(), playbook, {}, Templating())
        chosen = partial(selected, tags=tags)
        playbook = with_handlers(playbook, scopes.render, chosen, self.found, self.warnings, actions={}, force=force)
        [self.play] = playbook.plays

    @property
    def row(self) -> str:
        """The tasks in order, handlers in the brackets of their flush point."""
        parts: list[str] = []
        for task in self.play.tasks:
            at = self.play.blocks[task.within.block].id if task.within else ""
            parts.append(f"{at}[{task.id}]" if task.handler is not None else task.id)
        return " ".join(parts)

    def needs(self, name: str) -> list[str]:
        graph = needs_of([self.play])
        return [str(need) for path, found in graph.items() if path.names[-1:] == (name,) for need in found]


@pytest.fixture
def placed(read_playbook: ReadPlaybook) -> Callable[..., Placed]:
    return lambda text, **options: Placed(read_playbook, text, **options)


PLAY = """
- id: p
  hosts: all
  pre_tasks:
    - {id: pre, ping: , notify: one}
  tasks:
    - {id: work, ping: , notify: [two, topic]}
  post_tasks:
    - {id: post, ping: }
  handlers:
    - {name: one, ping: }
    - {name: two, ping: , listen: topic}
    - {name: three, ping: , listen: [topic, other], notify: one}
    - {name: never, ping: }
"""


def test_each_section_ends_with_the_handlers_that_may_be_notified_by_then(placed: Callable[..., Placed]) -> None:
    found = placed(PLAY)
    assert found.row == (
        "pre handlers-of-pre_tasks[one] work handlers-of-tasks[two] handlers-of-tasks[three] "
        "post handlers-of-post_tasks[one]"
    )
    assert [block.flushes for block in found.play.blocks] == [True] * 3
    assert [block.section for block in found.play.blocks] == [
        Section.HANDLERS_OF_PRE_TASKS,
        Section.HANDLERS_OF_TASKS,
        Section.HANDLERS_OF_POST_TASKS,
    ]
    assert not found.found


def test_what_comes_after_a_flush_point_needs_it_and_what_comes_before_it(placed: Callable[..., Placed]) -> None:
    found = placed(PLAY)
    assert found.needs("handlers-of-pre_tasks") == ["p.pre", "p.handlers-of-pre_tasks.one"]
    assert found.needs("work") == ["p.handlers-of-pre_tasks", "p.pre"]
    assert found.needs("two") == ["p.work"]
    assert found.needs("three") == ["p.handlers-of-tasks.two", "p.work"]
    assert found.needs("post") == ["p.handlers-of-tasks", "p.work"]


def test_names_mean_one_handler_of_that_name_and_all_that_listen(placed: Callable[..., Placed]) -> None:
    text = """
- hosts: all
  vars: {service: nginx}
  tasks: [{ping: , notify: [same, topic, restart nginx]}]
  handlers:
    - {name: same, ping: }
    - {name: first, ping: , listen: topic}
    - {name: same, ping: }
    - {name: first, ping: , listen: topic}
    - {ping: , listen: topic}
    - {name: topic, ping: }
    - {name: "restart {{ service }}", ping: }
"""
    play = placed(text).play
    assert play.notified == {"same": (0,), "first": (1,), "topic": (1, 4, 5), "restart nginx": (6,)}


def test_of_several_with_one_name_the_last_block_has_it(placed: Callable[..., Placed]) -> None:
    text = """
- hosts: all
  tasks: [{ping: , notify: [same, topic]}]
  handlers:
    - {name: same, ping: }
    - block:
        - {name: same, ping: , listen: topic}
        - {name: same, ping: , listen: topic}
    - {name: other, ping: }
"""
    play = placed(text).play
    assert play.handler_rows == (1, 2, 1)
    assert play.notified == {"same": (1,), "topic": (1,), "other": (3,)}


def test_a_name_with_variables_of_hosts_is_a_warning_unless_something_listens(placed: Callable[..., Placed]) -> None:
    text = """
- hosts: all
  tasks: [{ping: , notify: ok}]
  handlers:
    - {name: "{{ unknown }}", ping: }
    - {name: "{{ unknown }}", ping: , listen: ok}
"""
    found = placed(text)
    [warning] = found.warnings
    assert warning.summary == "A handler can't be notified"
    assert str(warning.position).endswith("0.yml:5:8")
    assert found.play.notified == {"ok": (1,)}


def test_a_template_may_notify_any_handler(placed: Callable[..., Placed]) -> None:
    text = """
- hosts: all
  tasks: [{id: t, ping: , notify: "{{ x }}"}]
  handlers: [{name: one, ping: }, {name: two, ping: }]
"""
    assert placed(text).row == "t handlers-of-tasks[one] handlers-of-tasks[two]"


def test_a_block_passes_notify_on_to_tasks_that_say_nothing(placed: Callable[..., Placed]) -> None:
    text = """
- hosts: all
  tasks:
    - notify: one
      block:
        - {id: a, ping: }
        - {id: b, ping: , notify: two}
        - {notify: three, block: [{id: c, ping: }]}
  handlers: [{name: one, ping: }, {name: two, ping: }, {name: three, ping: }]
"""
    play = placed(text).play
    assert [(task.id, task.notify) for task in play.tasks[:3]] == [("a", ("one",)), ("b", ("two",)), ("c", ("three",))]


FLUSHES = """
- id: p
  hosts: all
  tasks:
    - {id: a, ping: , notify: [two, one]}
    - {id: now, meta: flush_handlers}
    - {id: b, ping: , notify: one}
    - {id: c, ping: }
  handlers: [{name: one, ping: }, {name: two, ping: , notify: one}]
"""


def test_a_flush_point_runs_what_was_notified_since_the_last_one(placed: Callable[..., Placed]) -> None:
    found = placed(FLUSHES)
    assert found.row == "a now[one] now[two] b c handlers-of-tasks[one]"
    assert found.needs("b") == ["p.now", "p.a"]


def test_with_needs_what_stands_before_a_flush_point_may_come_after_it(placed: Callable[..., Placed]) -> None:
    found = placed(FLUSHES.replace("{id: b,", "{id: b, needs: [],"))
    assert found.row == (
        "a now[one] now[two] b c handlers-of-tasks[one] handlers-of-tasks[two] handlers-of-post_tasks[one]"
    )


def test_a_flush_point_with_a_condition_evaluates_it_first(placed: Callable[..., Placed]) -> None:
    found = placed(FLUSHES.replace("meta: flush_handlers", "meta: flush_handlers, when: x"))
    assert found.row == (
        "a when-now now[one] now[two] b c handlers-of-tasks[one] handlers-of-tasks[two] handlers-of-post_tasks[one]"
    )
    gate = found.play.tasks[1]
    assert (gate.meta, gate.within) == (MetaTask.FLUSH_HANDLERS, found.play.tasks[2].within)
    assert found.needs("one")[:2] == ["p.now.when-now", "p.a"]


@pytest.mark.parametrize("parts", ["rescue: [{id: r, ping: }]", "always: [{id: r, ping: }]"])
def test_a_flush_point_that_a_failure_may_leave_out_leaves_its_handlers_to_the_next(
    parts: str, placed: Callable[..., Placed]
) -> None:
    text = f"""
- hosts: all
  tasks:
    - id: x
      block:
        - {{id: a, ping: , notify: one}}
        - {{id: now, meta: flush_handlers}}
      {parts}
  handlers: [{{name: one, ping: }}]
"""
    assert placed(text).row == ("a now[one] r" + (" handlers-of-tasks[one]" if "rescue" in parts else ""))


def test_a_flush_point_without_handlers_stays_a_task_that_takes_no_step(placed: Callable[..., Placed]) -> None:
    found = placed("- {hosts: a, tasks: [{id: f, meta: flush_handlers}, {id: b, needs: [f], ping: }]}\n")
    assert found.row == "f b"


def test_tasks_that_tags_leave_out_notify_nothing(placed: Callable[..., Placed]) -> None:
    text = """
- hosts: all
  tasks:
    - {id: a, ping: , notify: one, tags: x}
    - {id: f, meta: flush_handlers}
    - {id: b, ping: , notify: two}
  handlers: [{name: one, ping: , tags: z}, {name: two, ping: }]
"""
    found = placed(text, tags=("x",))
    assert found.row == "a f b handlers-of-tasks[one]"
    assert selected(found.play.tasks[-1], ("x",), ("always",))


def test_forced_handlers_wait_for_what_comes_before_them_and_no_more(placed: Callable[..., Placed]) -> None:
    def rules(found: Placed) -> set[str]:
        return {str(task.trigger_rule) for task in found.play.tasks if task.handler is not None}

    assert rules(placed(PLAY)) == {"none_failed"}
    assert rules(placed(PLAY, force=True)) == {"all_done"}
    assert rules(placed(PLAY.replace("hosts: all", "hosts: all\n  force_handlers: true"))) == {"all_done"}


def test_what_the_play_and_a_block_of_handlers_say_holds_for_handlers(read_playbook: ReadPlaybook) -> None:
    [play] = read_playbook(
        """
- hosts: all
  become: true
  handlers:
    - when: x
      block: [{name: one, ping: , when: y}]
"""
    ).plays
    [handler] = play.handlers
    assert handler.become is True
    assert [getattr(condition, "text", "") for condition in handler.when] == ["x", "y"]


def handler_of(keyword: str) -> str:
    return f"- hosts: a\n  tasks: [{{ping: }}]\n  handlers:\n    - ping:\n      name: x\n      {keyword}\n"


@pytest.mark.parametrize("keyword", ["needs: []", "hosts: b", "trigger_rule: all_done"])
def test_a_handler_can_not_say_when_and_where_it_runs(keyword: str, mistakes: Mistakes) -> None:
    [(place, said)] = mistakes(handler_of(keyword))
    assert place == "6:7"
    assert "has no meaning for a handler" in said


def test_no_task_can_need_a_handler(mistakes: Mistakes) -> None:
    [(place, said)] = mistakes(handler_of("notify: x").replace("{ping: }", "{ping: , needs: [x]}"))
    assert place == "2:20"
    assert "'x' is a handler, and no task can need one. Give an id to a flush point, and need that." in said


def test_a_handler_is_no_flush_point(mistakes: Mistakes) -> None:
    text = "- hosts: a\n  tasks: [{ping: }]\n  handlers:\n    - meta: flush_handlers\n"
    [(place, said)] = mistakes(text)
    assert (place, "can't be another flush point" in said) == ("4:7", True)


def test_a_task_listens_to_nothing(mistakes: Mistakes) -> None:
    [(place, said)] = mistakes("- hosts: a\n  tasks:\n    - ping:\n      listen: x\n")
    assert (place, "'listen' is for handlers" in said) == ("4:7", True)


def test_an_unknown_handler_is_a_mistake_where_its_name_is_known(placed: Callable[..., Placed]) -> None:
    text = (
        "- hosts: a\n  tasks:\n    - ping:\n      notify: [reload, '{{ x }}']\n  handlers: [{name: reloaded, ping: }]\n"
    )
    [wrong] = placed(text).found
    assert wrong.summary == "Unknown handler in notify"
    assert "Did you mean 'reloaded'?" in wrong.detail
    assert str(wrong.position).endswith("0.yml:4:7")
    [wrong] = placed("- {hosts: a, tasks: [{ping: , notify: x}]}\n").found
    assert "This play has no handlers." in wrong.detail


def test_values_have_to_be_of_their_kinds(mistakes: Mistakes) -> None:
    text = """
- hosts: a
  force_handlers: maybe
  tasks:
    - ping:
      notify: {a: b}
  handlers: {x: y}
"""
    assert [place for place, _ in mistakes(text)] == ["3:19", "6:15", "7:13"]


def play_of(read: ReadPlaybook, text: str) -> Play:
    [play] = read(text).plays
    return play


def test_handlers_have_ids_beside_those_of_tasks(read_playbook: ReadPlaybook) -> None:
    text = "- {hosts: a, tasks: [{name: x, ping: }], handlers: [{name: x, ping: }, {name: x, ping: }]}\n"
    play: Any = play_of(read_playbook, text)
    assert [task.id for task in (*play.tasks, *play.handlers)] == ["x", "x-2", "x-3"]
