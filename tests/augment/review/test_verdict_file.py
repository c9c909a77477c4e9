"""The file of verdicts: append-only, safe against kills, full disks and other processes."""

import multiprocessing

import pytest
from review_examples import choice_example, verdict

from kofinlaw import UserError
from kofinlaw.augment.review.verdict_file import VerdictFile, read_verdicts


def test_what_was_appended_is_read(tmp_path):
    file = VerdictFile(tmp_path / "run" / "review.jsonl")
    assert file.read() == []
    first, second = verdict(choice_example()), verdict(choice_example("quantity-2"), "unclear")
    file.append([first])
    assert file.read() == [first]
    VerdictFile(file.path).append([second])  # another process
    assert file.read() == [first, second] == read_verdicts(file.path)


def test_an_incomplete_line_of_a_killed_process_is_neither_read_nor_kept(tmp_path):
    file = VerdictFile(tmp_path / "review.jsonl")
    one, two = verdict(choice_example()), verdict(choice_example("quantity-2"))
    file.append([one])
    whole = file.path.read_bytes()
    for cut in range(1, len(whole) - 1):
        file.path.write_bytes(whole + whole[:cut])
        assert read_verdicts(file.path) == [one]
    VerdictFile(file.path).append([two])
    assert read_verdicts(file.path) == [one, two]
    assert file.path.read_bytes().startswith(whole)


@pytest.mark.parametrize(
    "line",
    [
        "{broken",
        "[]",
        '"text"',
        '{"id": "x"}',
        "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
    ],
)
def test_a_broken_line_is_one_error_with_file_and_line(tmp_path, line):
    file = VerdictFile(tmp_path / "review.jsonl")
    file.append([verdict(choice_example())])
    with open(file.path, "ab") as handle:
        handle.write(b"\n" + line.encode("latin-1") + b"\n")
    with pytest.raises(UserError, match="this line is not a verdict") as found:
        read_verdicts(file.path)
    assert found.value.where == f"{file.path}:3"


def test_a_line_that_breaks_later_is_found_with_its_number(tmp_path):
    file = VerdictFile(tmp_path / "review.jsonl")
    file.append([verdict(choice_example())] * 2)
    assert len(file.read()) == 2
    with open(file.path, "ab") as handle:
        handle.write(b"{}\n")
    for _ in range(2):
        with pytest.raises(UserError) as found:
            file.read()
        assert found.value.where == f"{file.path}:3"


def test_a_file_that_was_replaced_is_read_from_its_start(tmp_path):
    file = VerdictFile(tmp_path / "review.jsonl")
    file.append([verdict(choice_example())] * 3)
    assert len(file.read()) == 3
    file.path.unlink()
    assert file.read() == []
    file.append([verdict(choice_example("quantity-2"))])
    assert [one.id for one in file.read()] == ["quantity-2"]


def test_a_last_line_without_its_end_counts_and_is_kept(tmp_path):
    file = VerdictFile(tmp_path / "review.jsonl")
    one, two = verdict(choice_example()), verdict(choice_example("quantity-2"))
    file.append([one, one])
    file.path.write_bytes(file.path.read_bytes().rstrip(b"\n"))  # as an editor may save it
    assert VerdictFile(file.path).read() == file.read() == [one, one]
    file.append([two])
    assert file.read() == read_verdicts(file.path) == [one, one, two]
    file.path.write_bytes(file.path.read_bytes() + b'{"id": "x"}')
    with pytest.raises(UserError) as found:
        file.read()
    assert found.value.where == f"{file.path}:4"


def test_a_file_that_an_editor_changed_in_its_place_is_read_again(tmp_path):
    file = VerdictFile(tmp_path / "review.jsonl")
    file.append([verdict(choice_example()), verdict(choice_example("quantity-2"))])
    assert [one.verdict for one in file.read()] == ["right", "right"]
    text = file.path.read_text()
    for changed in (
        text.replace('"right"', '"wrong"', 1),  # of the same length
        text.replace('"reason": ""', '"reason": "기간이 다르다"', 1),
        text.splitlines(keepends=True)[1],
    ):
        file.path.write_text(changed)
        assert file.read() == read_verdicts(file.path)


def test_a_full_disk_keeps_the_lines_before_and_says_so(tmp_path, small_files):
    file = VerdictFile(tmp_path / "review.jsonl")
    one = verdict(choice_example())
    file.append([one])
    size = file.path.stat().st_size
    with small_files(size + 40), pytest.raises(UserError, match="no space left"):
        file.append([one, one])
    assert file.path.stat().st_size == size
    file.append([one])
    assert file.read() == [one, one]


def test_a_folder_in_its_place_is_one_error(tmp_path):
    (tmp_path / "review.jsonl").mkdir()
    for act in (
        VerdictFile(tmp_path / "review.jsonl").read,
        lambda: VerdictFile(tmp_path / "review.jsonl").append([]),
    ):
        with pytest.raises(UserError):
            act()


def write_many(path, reader):
    for number in range(50):
        VerdictFile(path).append([verdict(choice_example(f"quantity-{number}"), reader=reader)])


def test_two_processes_at_once_lose_and_mix_nothing(tmp_path):
    path = tmp_path / "review.jsonl"
    processes = [
        multiprocessing.Process(target=write_many, args=(path, name)) for name in ("kim", "lee")
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    found = read_verdicts(path)
    for reader in ("kim", "lee"):
        ids = [one.id for one in found if one.reader == reader]
        assert ids == [f"quantity-{number}" for number in range(50)]
