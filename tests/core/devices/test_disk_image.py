"""A disk in a file: read whole, written whole, and never over what somebody else has put there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.devices.disk_image import SECTOR, DiskImage, load_disk_image, make_disk, save_disk_image
from core.errors import ImageError, RequestError
from core.guests.catalog import load_program
from core.session import Session

OLD, NEW = b"old" + bytes(2 * SECTOR - 3), b"new" + bytes(2 * SECTOR - 3)


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    path.write_bytes(OLD)
    return path


def test_it_is_saved_to_its_own_file_again_and_again(disk: Path) -> None:
    image = save_disk_image(load_disk_image(disk), NEW, disk)
    assert disk.read_bytes() == NEW
    save_disk_image(image, OLD, disk)
    assert disk.read_bytes() == OLD
    assert [path.name for path in disk.parent.iterdir()] == ["disk.img"]


def test_a_new_file_is_made_and_another_that_is_there_only_replaced_when_asked(disk: Path) -> None:
    image, other = load_disk_image(disk), disk.with_name("other.img")
    save_disk_image(image, NEW, other)
    assert (disk.read_bytes(), other.read_bytes()) == (OLD, NEW)
    with pytest.raises(ImageError, match="there is a file already"):
        save_disk_image(image, OLD, other)
    save_disk_image(image, OLD, other, replace=True)
    assert other.read_bytes() == OLD


@pytest.mark.parametrize(
    ("theirs", "said"), [(b"xyz" + OLD[3:], "changed by others"), (OLD + OLD, "2,048 bytes now, but had 1,024")]
)
def test_a_file_that_others_changed_is_left_as_it_is(disk: Path, theirs: bytes, said: str) -> None:
    image = load_disk_image(disk)
    disk.write_bytes(theirs)
    with pytest.raises(ImageError, match=said):
        save_disk_image(image, NEW, disk)
    assert disk.read_bytes() == theirs


def test_the_file_is_whole_when_writing_fails(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ImageError, match="No space left"):
        save_disk_image(load_disk_image(disk), NEW, disk)
    assert disk.read_bytes() == OLD
    assert [path.name for path in disk.parent.iterdir()] == ["disk.img"]


def test_a_link_goes_on_naming_the_file_that_was_saved(disk: Path) -> None:
    link = disk.with_name("link.img")
    link.symlink_to(disk)
    save_disk_image(load_disk_image(link), NEW, link)
    assert link.is_symlink()
    assert disk.read_bytes() == NEW


def test_how_a_file_may_be_used_is_kept(disk: Path) -> None:
    disk.chmod(0o640)
    save_disk_image(load_disk_image(disk), NEW, disk)
    assert disk.stat().st_mode & 0o777 == 0o640


def test_a_read_only_file_is_not_replaced(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda _path, mode: mode != os.W_OK)  # as for anybody but root
    with pytest.raises(ImageError, match="read-only"):
        save_disk_image(load_disk_image(disk), NEW, disk)
    assert disk.read_bytes() == OLD


@pytest.mark.parametrize(("place", "said"), [("nowhere/disk.img", "no such folder"), (".", "as a folder")])
def test_a_place_where_nothing_can_be_saved(disk: Path, place: str, said: str) -> None:
    with pytest.raises(ImageError, match=said):
        save_disk_image(load_disk_image(disk), NEW, disk.parent / place)


def test_a_blank_disk_is_made_but_not_over_another(tmp_path: Path) -> None:
    path = tmp_path / "blank.img"
    make_disk(path, 4 * SECTOR)
    assert load_disk_image(path) == DiskImage(bytes(4 * SECTOR), str(path))
    with pytest.raises(ImageError, match="There is a file already"):
        make_disk(path, SECTOR)


def test_a_session_saves_what_its_guest_wrote_and_resets_to_it(tmp_path: Path) -> None:
    path = tmp_path / "disk.img"
    make_disk(path, 1 << 20)
    session = Session(recording=False)
    session.load(load_program("pebble"), "bare", command_line="run=writer", disk=load_disk_image(path))
    session.run()
    assert b"blank, made ready" in session.console
    session.save_disk(path)
    session.reset()
    session.run()
    assert b"blank" not in session.console
    session.save_disk(path)  # over what it saved itself
    assert path.read_bytes() == session.vmm.pc.disk.contents()
    session.close()


def test_a_guest_without_a_disk_has_none_to_save(tmp_path: Path) -> None:
    session = Session(recording=False)
    session.load(load_program("hello"), "bare")
    with pytest.raises(RequestError, match="no disk"):
        session.save_disk(tmp_path / "disk.img")
    session.close()
