"""House rules that no linter knows."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
NOUNS = re.compile(
    r"\b(campaign|segment_filter|treatment|keyword_service|opt_out|endpoint_id)\b", re.IGNORECASE
)


def tracked(*patterns: str) -> list[Path]:
    """Files that git knows, or would know once they are added."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


@pytest.mark.parametrize("page", tracked("*.md"), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page):
    for target in LINK.findall(page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize(
    "folder", ["services/*/", "libs/*/", "deploy/local/"], ids=lambda folder: folder.strip("*/")
)
def test_every_member_says_what_it_is(folder):
    for member in ROOT.glob(folder):
        assert (member / "README.md").is_file(), member.name


def test_plumbing_holds_no_noun_of_ours():
    for file in tracked("libs/mesh/src/*.py"):
        for line in file.read_text().splitlines():
            assert not NOUNS.search(line), f"{file.relative_to(ROOT)}: {line}"


def test_no_file_has_a_second_idea_in_it():
    for file in tracked("*.py"):
        lines = len(file.read_text().splitlines())
        assert lines <= 300, f"{file.relative_to(ROOT)}: {lines}"
