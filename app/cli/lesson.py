"""``ringside lesson check``: lessons played by students made of code, to see whether they teach what they claim."""

from __future__ import annotations

import argparse

from app.cli import statuses

DESCRIPTION = """\
Plays each lesson on a real machine as three students: a perfect one, who must pass; those who answer wrongly, who must
be told so at every step; and one who does nothing, whom no step may let pass.
"""
EPILOG = f"exit status: {statuses.DONE} if all lessons are good, {statuses.PROBLEMS} if one is not, \
{statuses.USER_ERROR} if one cannot be read."


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    lesson = commands.add_parser("lesson", help="work on lessons", description="For those who write lessons.")
    actions = lesson.add_subparsers(metavar="ACTION", required=True)
    check = actions.add_parser(
        "check", help="play lessons as good and bad students", description=DESCRIPTION, epilog=EPILOG
    )
    check.add_argument(
        "lessons", metavar="PATH", nargs="*", help="lesson folders, or names of shipped lessons (default: all of these)"
    )
    check.set_defaults(main=main)


def main(arguments: argparse.Namespace) -> int:
    """Check the lessons; every problem is printed with its file and line."""
    from lessons.loader import lesson_folders
    from lessons.player import check_lesson

    status = statuses.DONE
    for lesson in arguments.lessons or lesson_folders():
        verdict = check_lesson(lesson)
        for problem in verdict.problems:
            print(problem)
        print(verdict.sentence)
        if not verdict.passed:
            status = statuses.PROBLEMS
    return status
