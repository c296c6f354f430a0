"""Reading and checking everything that a run needs, and making its plan."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from drumline.app.checks import check_plan, look_further, unasked
from drumline.app.neighbours import directories_of, load_beside, look_in
from drumline.app.prepared import Prepared, plan_of, shuffled
from drumline.app.project import Project, registry
from drumline.config import Settings
from drumline.diagnostics import Diagnostic, Diagnostics, did_you_mean
from drumline.errors import UsageError
from drumline.inventory.combining import merge_dictionaries
from drumline.inventory.limit import read_limit
from drumline.inventory.scopes import Scopes
from drumline.inventory.sources import require_hosts
from drumline.loading.connection import check_connections
from drumline.loading.deferred import resolve_tags
from drumline.loading.extra_vars import read_extra_vars
from drumline.loading.facts import with_facts
from drumline.loading.foreseen import Foresight, foresee
from drumline.loading.handlers import with_handlers
from drumline.loading.names import check_names
from drumline.loading.playbook import read_playbooks
from drumline.loading.prompts import with_prompts
from drumline.loading.reading import Around, Reading
from drumline.loading.vars_files import with_vars_files
from drumline.loading.written import all_templates, embedded, mentions
from drumline.model.host import Inventory
from drumline.model.plan import Plan
from drumline.model.playbook import Playbook, Task
from drumline.model.value import Value
from drumline.planning.expand import matches_any
from drumline.planning.later import later_plays
from drumline.planning.only import with_only
from drumline.planning.repeats import without_repeats
from drumline.planning.tags import Selection, selected
from drumline.plugin.actions import Action
from drumline.plugin.registry import Registry
from drumline.source.inputs import inputs_noted
from drumline.source.mistakes import Mistakes, gathered
from drumline.source.nodes import Node
from drumline.source.vault import keyring
from drumline.templating.templates import Templating

#: Reads a playbook from elsewhere than files of plays, given the actions and the rest, and says what is wrong with it.
ReadPlaybook = Callable[[Mapping[str, Action], Around], tuple[Playbook, list[Diagnostic]]]

#: Changes what was read, for a what-if question: ``(playbook, inventory) -> both``.
Instead = Callable[[Playbook, Inventory], tuple[Playbook, Inventory]]


def prepare(
    playbooks: Sequence[Path] | Playbook | ReadPlaybook,
    settings: Settings,
    *,
    plugins: Registry | None = None,
    templating: Templating | None = None,
    made_up: Callable[[Playbook], Inventory] | None = None,
    limit: str | None = None,
    extra_vars: Sequence[str] = (),
    tags: Collection[str] = (),
    skip_tags: Collection[str] = (),
    only: Collection[str] = (),
    force_handlers: bool = False,
    strict: bool = False,
    sends: bool = False,
    check: bool = False,
    diff: bool = False,
    instead: Instead = lambda playbook, inventory: (playbook, inventory),
) -> Prepared:
    """Read and check everything, and make the plan. Raises ``FilesError`` with all mistakes, or ``UsageError``.

    ``instead`` may change both before the plan is made. With ``force_handlers``, handlers run on failed hosts, too.
    With ``strict``, warnings are mistakes. What is missing for a run alone, such as the password of an encrypted value,
    is a mistake where the plan ``sends`` something to hosts, and else a warning. With ``check`` tasks only say what
    they would change, with ``diff`` they show it. ``made_up`` gives hosts for the playbook in place of the inventory;
    undefined variables aren't mistakes then, since hosts may define them. ``plugins`` and ``templating``
    are those of the settings, if they are at hand; what ``templating`` doesn't trust isn't run. If ``only`` names
    tasks, no others take part.
    """
    plugins = plugins or registry(settings)
    merge_dictionaries(settings.hash_behaviour == "merge")
    with inputs_noted() as inputs:
        templating = templating or Templating(settings.template_timeout, plugins, managed=settings.ansible_managed)
        project = Project(settings=settings, plugins=plugins, extra=read_extra_vars(extra_vars), templating=templating)
        wanted = _Wanted(
            selection=Selection(limit=None if limit is None else read_limit(limit), tags=tags, skip_tags=skip_tags),
            force_handlers=force_handlers,
            sends=sends,
            check=check,
            diff=diff,
            undefined=made_up is None,
        )
        warnings = Diagnostics()
        playbook, inventory = instead(*_read(project, playbooks, made_up, warnings))
        playbook = with_only(playbook, only) if only else playbook
        warnings.extend(inventory.warnings)
        with gathered() as mistakes:
            prepared = _prepared(project, playbook, inventory, wanted, mistakes, warnings)
            (mistakes.found if sends else warnings).extend(keyring().locked)
            if sends and prepared is not None:
                mistakes.found.extend(unasked(prepared.plan))
            if strict:
                mistakes.found.extend(warnings)
        assert prepared is not None  # else there was a mistake
        if tags and all(step.task.first for step in prepared.plan.steps):
            _no_such_tags(prepared.plan.playbook, tags)
    reread = partial(project.reread, _paths(playbooks))
    return replace(prepared, warnings=tuple(warnings), inputs=inputs, reread=reread)


def written_plays(paths: Sequence[Path], prepared: Prepared) -> list[Node]:
    """What stands in the playbooks of a plan, with generated plays in place of what generates them."""
    written: list[Node] = []
    read_playbooks(paths, prepared.registry.actions, prepared.project.around(prepared.inventory), written)
    return written


class _Wanted(Struct, frozen=True, kw_only=True):
    """What is asked of a plan; see :func:`prepare`."""

    selection: Selection
    force_handlers: bool
    sends: bool
    check: bool
    diff: bool
    undefined: bool

    def chosen(self, task: Task) -> bool:
        """Whether a task takes part by its tags."""
        return selected(task, self.selection.tags, self.selection.skip_tags)

    @property
    def modes(self) -> dict[str, Value]:
        """Variables that tell of it."""
        return {"ansible_check_mode": self.check, "ansible_diff_mode": self.diff}


def _paths(playbooks: Sequence[Path] | Playbook | ReadPlaybook) -> Sequence[Path]:
    return playbooks if isinstance(playbooks, Sequence) else ()


def _read(
    project: Project,
    playbooks: Sequence[Path] | Playbook | ReadPlaybook,
    made_up: Callable[[Playbook], Inventory] | None,
    warnings: Diagnostics,
) -> tuple[Playbook, Inventory]:
    """Read playbook and inventory. Raises ``FilesError`` with the mistakes of both."""
    paths = _paths(playbooks)
    directories = [path.absolute().parent for path in paths]
    warnings.extend(load_beside(project, directories))
    warnings.extend(look_in(project, [directory / "collections" for directory in directories]))
    with gathered() as mistakes:
        inventory = None if made_up else mistakes.of(lambda: project.inventory(paths))
        if isinstance(playbooks, Playbook):
            playbook = playbooks
        else:
            read = playbooks if callable(playbooks) else partial(read_playbooks, paths)
            playbook, found = read(project.plugins.actions, project.around(inventory))
            mistakes.found.extend(found)
            mistakes.imported = playbook.imported
        warnings.extend(load_beside(project, directories_of(playbook)))
        if made_up is not None:
            inventory = made_up(playbook)
        if mistakes.found:
            look_further(project, playbook, inventory, mistakes, undefined=made_up is None)
    assert inventory is not None  # else there was a mistake
    require_hosts(inventory)
    return playbook, inventory


def _prepared(
    project: Project,
    playbook: Playbook,
    inventory: Inventory,
    wanted: _Wanted,
    mistakes: Mistakes,
    warnings: Diagnostics,
) -> Prepared | None:
    """The plan with all that belongs to it, checked; None where mistakes leave no plan."""
    mistakes.imported = playbook.imported
    scopes = Scopes(inventory, playbook, project.extra, project.templating, called=wanted.modes)
    reading = Reading(project.plugins.actions, mistakes.found, project.around())
    playbook, foreseen = _put_in_place(playbook, inventory, reading, scopes, wanted, warnings)
    mistakes.imported = {**reading.imported, **playbook.imported}
    mentioned = _check_written(project, foreseen.seen(playbook), inventory, wanted, mistakes, warnings)
    plan = mistakes.of(lambda: _plan(playbook, inventory, foreseen, scopes, wanted, warnings))
    if plan is None:
        return None
    prepared = Prepared(
        settings=project.settings,
        registry=project.plugins,
        inventory=inventory,
        extra_variables=project.extra,
        templating=project.templating,
        plan=replace(plan, check=wanted.check, diff=wanted.diff),
        selection=wanted.selection,
        foreseen=foreseen,
    )
    check_plan(prepared, mentioned, mistakes.found, warnings)
    return prepared


def _put_in_place(
    playbook: Playbook,
    inventory: Inventory,
    reading: Reading,
    scopes: Scopes,
    wanted: _Wanted,
    warnings: Diagnostics,
) -> tuple[Playbook, Foresight]:
    """The playbook with all that files and people say before the run, and what its tasks will add."""
    found, extra, actions = reading.found, reading.around.extra, reading.actions
    playbook = with_prompts(playbook, extra, wanted.sends, found)
    playbook = with_vars_files(playbook, scopes.render, found, actions)
    playbook = without_repeats(resolve_tags(playbook, scopes.render, found), wanted.chosen)
    foreseen = foresee(playbook, scopes.render, reading, wanted.chosen)
    playbook = with_handlers(
        playbook,
        scopes.render,
        wanted.chosen,
        found,
        warnings,
        actions=actions,
        force=wanted.force_handlers,
        coming=foreseen.coming,
    )
    return with_facts(playbook, inventory, extra, actions, wanted.chosen, foreseen.seen(playbook)), foreseen


def _check_written(
    project: Project,
    seen: Playbook,
    inventory: Inventory,
    wanted: _Wanted,
    mistakes: Mistakes,
    warnings: Diagnostics,
) -> Callable[[str], bool]:
    """Add the mistakes in names and connections. Returns what says whether any template contains a word."""
    written = all_templates(seen)
    warnings.extend(embedded(written))
    undefined = wanted.undefined and not any(mistake.hides_names for mistake in mistakes.found)
    mistakes.found.extend(
        check_names(
            seen,
            inventory,
            project.extra,
            project.templating,
            written=written,
            chosen=wanted.chosen,
            undefined=undefined,
        )
    )
    mistakes.found.extend(check_connections(inventory.hosts.values(), project.plugins.transports))
    return mentions(written, inventory)


def _plan(
    playbook: Playbook,
    inventory: Inventory,
    foreseen: Foresight,
    scopes: Scopes,
    wanted: _Wanted,
    warnings: Diagnostics,
) -> Plan:
    matching = partial(matches_any, inventory=inventory, render_pattern=scopes.render_pattern)
    return plan_of(
        playbook,
        inventory,
        scopes,
        wanted.chosen,
        limit=wanted.selection.limit,
        tags=wanted.selection.tags,
        skip_tags=wanted.selection.skip_tags,
        warnings=warnings,
        shuffle=shuffled,
        later=later_plays(playbook, foreseen, wanted.chosen, matching),
    )


def _no_such_tags(playbook: Playbook, tags: Collection[str]) -> None:
    known = sorted({tag for play in playbook.plays for task in play.tasks for tag in task.tags})
    if not set(tags) & {*known, "all", "tagged", "untagged", "always", "never"}:
        [first, *_] = tags
        there = f"the tags of the playbook are {', '.join(known)}" if known else "the playbook has no tags"
        detail = f"--tags {','.join(tags)}: {there}.{did_you_mean(first, known)}"
        raise UsageError("No task has one of these tags", detail)
