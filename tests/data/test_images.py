from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from shoal.data import ReadOptions, load_dataset
from shoal.data.builtin.generated_images import GALAXIES, galaxies, galaxy_brightness
from shoal.data.describe import describe
from shoal.data.joining import load_with_test
from shoal.data.raw import read_any
from shoal.data.readers import signal_reader
from shoal.data.readers.signals.pixels import cover_box, fitted, wanted_size
from shoal.errors import DataError, SettingError, ShoalWarning

COLOUR = (8, 10, 3)


def pixels(seed: int, shape: tuple[int, ...] = COLOUR, dtype: Any = np.uint8) -> np.ndarray:
    top = np.iinfo(dtype).max if np.dtype(dtype).kind == "u" else 1
    return (np.random.default_rng(seed).random(shape) * top).astype(dtype)


def save(path: Path, array: np.ndarray, **options: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Twelve colour images, six of each class."""
    for i in range(12):
        save(tmp_path / "photos" / ("cat" if i < 6 else "dog") / f"{i:02}.png", pixels(i))
    return tmp_path / "photos"


def notes(data: Any, **options: Any) -> str:
    return "\n".join(read_any(str(data), ReadOptions(**options)).notes)


# ----- folders -----


def test_a_folder_of_classes(photos: Path) -> None:
    data = load_dataset(photos)
    assert (data.name, data.task_name, data.classes) == ("photos", "binary classification", ("cat", "dog"))
    assert data.table.columns == ["class", "file"]
    assert data.table.row(7) == ("dog", "dog/07.png")
    assert data.targets == ("class",)
    assert data.roles.id == "file"
    assert data.signals is not None
    assert data.signals.values.dtype == np.uint8
    assert data.signals.channels == ("red", "green", "blue")
    for i in range(12):
        np.testing.assert_array_equal(data.signals.values[i], pixels(i))
    assert data.notes == ("'class' holds text or truth values, so its values are classes.",)
    assert load_dataset(data).sha256 == load_dataset(photos).sha256 == data.sha256


def test_rows_are_in_the_order_of_class_and_name(tmp_path: Path) -> None:
    for name in ("b/2.png", "a/10.png", "b/1.png", "a/9.png", "a/1.png"):
        save(tmp_path / name, pixels(0))
    table = read_any(tmp_path, ReadOptions()).table
    assert table["file"].to_list() == ["a/1.png", "a/10.png", "a/9.png", "b/1.png", "b/2.png"]


@pytest.mark.parametrize("extension", ["png", "bmp", "tif", "gif", "PNG", "jpg", "jpeg"])
def test_formats(tmp_path: Path, extension: str) -> None:
    smooth = np.add.outer(np.arange(16), np.arange(16)).astype(np.uint8) * 4
    options = {"quality": 95} if extension in ("jpg", "jpeg") else {}
    save(tmp_path / f"one.{extension}", smooth, **options)
    raw = read_any(tmp_path, ReadOptions())
    assert raw.table.columns == ["file"]
    assert raw.signals is not None
    assert raw.signals.channels == ("grey",)
    np.testing.assert_allclose(raw.signals.values[0, ..., 0], smooth, atol=4 if options else 0)


@pytest.mark.parametrize(("dtype", "extension"), [(np.uint16, "png"), (np.uint16, "tif"), (np.float32, "tif")])
def test_number_types_stay(tmp_path: Path, dtype: Any, extension: str) -> None:
    array = pixels(1, (5, 6), dtype)
    save(tmp_path / f"one.{extension}", array)
    signals = read_any(tmp_path, ReadOptions()).signals
    assert signals is not None
    assert signals.values.dtype == dtype
    np.testing.assert_array_equal(signals.values[0, ..., 0], array)
    half = read_any(tmp_path, ReadOptions(image_size="3x3")).signals
    assert half is not None
    assert half.values.dtype == dtype
    assert half.values.mean() == pytest.approx(float(array[:, :5].mean()), rel=0.25)


def test_other_sizes_are_brought_to_the_commonest(photos: Path) -> None:
    wide = np.zeros((8, 40, 3), np.uint8)
    wide[:, 15:25] = 200
    save(photos / "cat" / "99.png", wide)
    save(photos / "dog" / "99.png", np.full((16, 20, 3), 7, np.uint8))
    raw = read_any(photos, ReadOptions())
    assert raw.signals is not None
    assert raw.signals.shape == COLOUR
    assert (raw.signals.values[6] == 200).all()  # cropped at the centre
    assert (raw.signals.values[13] == 7).all()
    assert "2 of 14 images: another size than 8 × 10 pixels (8 × 40 (1), 16 × 20 (1)), scaled to cover" in raw.notes[0]


def test_the_size_may_be_chosen(photos: Path) -> None:
    raw = read_any(photos, ReadOptions(image_size="4x5"))
    assert raw.signals is not None
    assert raw.signals.shape == (4, 5, 3)
    assert "12 of 12 images: another size than 4 × 5" in raw.notes[0]
    np.testing.assert_allclose(raw.signals.values[0].mean(), pixels(0).mean(), atol=12)
    for wrong in ("big", "0x3", "9000x9000", "3x"):
        with pytest.raises(SettingError, match=r"image_size is height x width in pixels, such as 64x64"):
            read_any(photos, ReadOptions(image_size=wrong))
    assert wanted_size(ReadOptions(image_size="32")) == (32, 32)


def test_large_jpegs_shrink_while_they_are_decoded(tmp_path: Path) -> None:
    smooth = np.repeat(np.linspace(0, 255, 512)[:, None], 512, 1).astype(np.uint8)
    save(tmp_path / "one.jpg", smooth)
    signals = read_any(tmp_path, ReadOptions(image_size="16x16")).signals
    assert signals is not None
    expected = smooth.reshape(16, 32, 16, 32).mean(axis=(1, 3))
    np.testing.assert_allclose(signals.values[0, ..., 0], expected, atol=4)


def test_photos_are_turned_as_they_say(tmp_path: Path) -> None:
    smooth = np.zeros((16, 32), np.uint8)
    smooth[:8] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # the top row is on the right
    save(tmp_path / "one.jpg", smooth, exif=exif, quality=95)
    signals = read_any(tmp_path, ReadOptions()).signals
    assert signals is not None
    assert signals.shape == (32, 16, 1)
    assert signals.values[0, :, 10:].min() > 240
    assert signals.values[0, :, :6].max() < 15


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(*[st.integers(1, 30)] * 4, st.sampled_from([np.uint8, np.uint16, np.float32]))
def test_an_even_image_stays_even_in_any_size(h: int, w: int, to_h: int, to_w: int, dtype: Any) -> None:
    image = Image.fromarray(np.full((h, w), 77, dtype))
    out = fitted(image, (to_h, to_w), np.dtype(dtype))
    assert out.shape == (to_h, to_w, 1)
    np.testing.assert_allclose(out, 77, rtol=1e-5)
    left, top, right, bottom = cover_box((h, w), (to_h, to_w))
    assert (right - left) / (bottom - top) == pytest.approx(to_w / to_h)
    assert right - left == pytest.approx(w) or bottom - top == pytest.approx(h)


def test_grey_among_colour_and_colour_among_grey(photos: Path, tmp_path: Path) -> None:
    save(photos / "cat" / "00.png", pixels(1, (8, 10)))
    raw = read_any(photos, ReadOptions())
    assert raw.signals is not None
    np.testing.assert_array_equal(raw.signals.values[0], np.repeat(pixels(1, (8, 10))[..., None], 3, -1))
    assert notes(photos) == "1 of 12 images: grey among images with colour, so that all channels hold the same."
    for i in range(4):
        save(tmp_path / "flat" / f"{i}.png", pixels(i, (8, 10, 3) if i == 3 else (8, 10)))
    assert notes(tmp_path / "flat") == "1 of 4 images: colour among grey images, turned grey."
    signals = read_any(tmp_path / "flat", ReadOptions()).signals
    assert signals is not None
    assert signals.shape == (8, 10, 1)


def test_transparency_palettes_and_frames(tmp_path: Path) -> None:
    rgba = pixels(3, (8, 10, 4))
    save(tmp_path / "a.png", rgba)
    save(tmp_path / "b.png", pixels(0))
    plain = Image.fromarray(np.kron(pixels(5, (2, 2, 3)), np.ones((4, 5, 1), np.uint8)))
    plain.quantize(8).save(tmp_path / "c.png")
    frames = [Image.fromarray(pixels(i)) for i in (7, 8)]
    frames[0].save(tmp_path / "d.tif", save_all=True, append_images=frames[1:])
    raw = read_any(tmp_path, ReadOptions())
    assert raw.signals is not None
    np.testing.assert_array_equal(raw.signals.values[0], rgba[..., :3])
    np.testing.assert_allclose(raw.signals.values[2], np.asarray(plain), atol=8)
    np.testing.assert_array_equal(raw.signals.values[3], pixels(7))
    assert raw.notes == (
        "1 of 4 images: transparency, dropped.",
        "1 of 4 images: several frames or pages, of which the first was taken.",
    )


def test_what_is_passed_over_is_told(photos: Path) -> None:
    (photos / "notes.txt").write_text("hello")
    (photos / "cat" / ".DS_Store").write_text("hello")
    (photos / "cat" / "Thumbs.db").write_text("hello")
    (photos / "empty").mkdir()
    (photos / ".git").mkdir()
    save(photos / "stray.png", pixels(0))
    assert load_dataset(photos).notes[:3] == (
        "Skipped files that are no images: 3 ('notes.txt', '.DS_Store', 'Thumbs.db').",
        "Skipped images beside the folders of the classes: 1 ('stray.png').",
        "Skipped folders without images: 1 ('empty').",
    )


def test_damaged_images_are_left_out_and_told(photos: Path) -> None:
    for i in range(20):
        save(photos / "cat" / f"more{i:02}.png", pixels(i))
    whole = (photos / "cat" / "01.png").read_bytes()
    (photos / "cat" / "01.png").write_bytes(whole[: len(whole) // 2])
    (photos / "dog" / "07.png").write_text("no image")
    data = load_dataset(photos)
    assert "2 damaged images left out: '01.png' (" in data.notes[0]
    assert "'07.png' (it is no image)." in data.notes[0]
    assert data.rows == 30
    assert data.signals is not None
    where = data.table["file"].to_list()
    assert "cat/01.png" not in where
    np.testing.assert_array_equal(data.signals.values[where.index("dog/08.png")], pixels(8))
    np.testing.assert_array_equal(data.signals.values[where.index("cat/02.png")], pixels(2))


def test_many_damaged_images_are_an_error(photos: Path) -> None:
    for i in (0, 1):
        (photos / "cat" / f"{i:02}.png").write_text("no image")
    with pytest.raises(DataError, match=r"photos: 2 of 12 images cannot be read, first '00\.png' \(it is no image\)"):
        load_dataset(photos)


def test_folders_that_cannot_be_used(tmp_path: Path, photos: Path) -> None:
    (tmp_path / "nothing").mkdir()
    with pytest.raises(DataError, match=r"nothing is a folder without images"):
        load_dataset(tmp_path / "nothing")
    with pytest.raises(DataError, match=r"nothing has no images \(\.png, .*\); expected them in one folder for each"):
        load_dataset(tmp_path / "nothing", options=ReadOptions(kind="images"))
    with pytest.raises(DataError, match=r"cat holds images without targets, .* give one folder for each class"):
        load_dataset(photos / "cat")
    save(photos / "bird" / "1.png", pixels(0))
    with pytest.raises(DataError, match=r"photos: the class 'bird' of the target 'class' has one row only"):
        load_dataset(photos)
    for i in range(12):
        save(tmp_path / "one" / "cat" / f"{i}.png", pixels(i))
    with pytest.raises(DataError, match=r"one: the target 'class' is 'cat' in every row"):
        load_dataset(tmp_path / "one")
    save(photos / "dog" / "99.png", pixels(0, (8, 10), np.uint16))
    with pytest.raises(DataError, match=r"photos mixes images of 13 8 bit .* and 1 16 bit \('99\.png', …\)"):
        load_dataset(photos)


def test_folders_too_deep(tmp_path: Path) -> None:
    for part in ("train", "test"):
        save(tmp_path / part / "cat" / "1.png", pixels(0))
    save(tmp_path / "1.png", pixels(0))
    with pytest.raises(
        DataError, match=r"test/cat holds images, deeper .*; give one folder such as .*test as the data"
    ):
        read_any(tmp_path, ReadOptions())
    save(tmp_path / "deep" / "a" / "b" / "c" / "1.png", pixels(0))
    with pytest.raises(
        DataError, match=r"a/b holds images, deeper .*; move them up into .*a, or give .*a as the data if"
    ):
        read_any(tmp_path / "deep", ReadOptions(kind="images"))


def test_too_much_for_the_memory(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shoal.data.readers.room.available_memory", lambda: 1000)
    with pytest.raises(DataError, match=r"photos: 12 images of 8 × 10 pixels: .* 2.88 kB of memory, of which 800 B"):
        load_dataset(photos)
    assert load_dataset(photos, options=ReadOptions(image_size="2x2")).rows == 12


def test_a_table_of_labels(tmp_path: Path) -> None:
    for i in range(12):
        save(tmp_path / f"{i}.png", pixels(i))
    lines = [f"{i}.png,{0.1 * i},{'ab'[i % 2]}" for i in reversed(range(12))]
    table = tmp_path / "labels.csv"
    table.write_text("\n".join(["File,energy,label", *lines]))
    data = load_dataset(tmp_path, target="energy")
    assert data.task_name == "regression"
    assert data.signals is not None
    np.testing.assert_array_equal(data.signals.values[0], pixels(11))
    assert data.y()[0, 0] == pytest.approx(1.1)
    assert load_dataset(tmp_path).targets == ("label",)
    save(tmp_path / "other.png", pixels(0))
    assert "Images that labels.csv does not name: 1 ('other.png')." in notes(tmp_path)
    table.write_text("\n".join(["file,energy", "0.png,1", "00.png,2"]))
    with pytest.raises(DataError, match=r"labels\.csv, row 2: there is no image '00\.png' .* Did you mean '0\.png'"):
        load_dataset(tmp_path)
    table.write_text("what,energy\n0.png,1\n")
    with pytest.raises(DataError, match=r"labels\.csv has no column that names the files; .* got what, energy"):
        load_dataset(tmp_path)


def test_test_images_in_their_own_folder(photos: Path, tmp_path: Path) -> None:
    for name in ("cat/1.png", "dog/1.png", "dog/2.png"):
        save(tmp_path / "test" / name, np.full((16, 20, 3), 9, np.uint8))
    data, rows = load_with_test(photos, tmp_path / "test")
    assert rows.tolist() == [12, 13, 14]
    assert data.signals is not None
    assert (data.signals.values[12:] == 9).all()
    assert data.notes[0].startswith("Test data: 3 of 3 images: another size than 8 × 10 pixels")


def test_a_folder_of_tables_is_none_of_images(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    assert signal_reader(tmp_path, ReadOptions()) is None


# ----- arrays in files -----


@pytest.mark.parametrize("names", [("X", "y"), ("x", "y"), ("images", "labels")])
@pytest.mark.parametrize("compressed", [True, False])
def test_npz(tmp_path: Path, names: tuple[str, str], compressed: bool) -> None:
    x, y = pixels(0, (20, 9, 11, 3)), np.arange(20) % 2
    (np.savez_compressed if compressed else np.savez)(tmp_path / "a.npz", **dict(zip(names, (x, y), strict=True)))
    data = load_dataset(tmp_path / "a.npz")
    assert (data.task_name, data.classes, data.name) == ("binary classification", ("0", "1"), "a")
    assert data.signals is not None
    np.testing.assert_array_equal(data.signals.values, x)


@pytest.mark.parametrize(
    ("dtype", "kept"),
    [("f8", "f4"), ("f4", "f4"), ("f2", "f4"), (">u2", "u2"), ("u1", "u1"), ("i8", "f4"), ("?", "u1"), (">f4", "f4")],
)
@pytest.mark.parametrize("order", ["C", "F"])
def test_number_types_of_arrays(tmp_path: Path, dtype: str, kept: str, order: Any) -> None:
    x = np.asarray(np.random.default_rng(0).integers(0, 2, (12, 8, 9)), dtype, order=order)
    np.savez(tmp_path / "a.npz", X=x, y=np.linspace(0, 1, 12))
    data = load_dataset(tmp_path / "a.npz", options=ReadOptions(kind="images"))
    assert data.task_name == "regression"
    assert data.signals is not None
    assert data.signals.values.dtype == np.dtype(kept)
    np.testing.assert_array_equal(data.signals.values[..., 0], x.astype(kept))


def test_names_of_classes_and_one_of_many(tmp_path: Path) -> None:
    x = pixels(0, (12, 8, 8))
    np.savez(tmp_path / "a.npz", X=x, y=np.array(["a", "b", "c"] * 4))
    assert load_dataset(tmp_path / "a.npz").classes == ("a", "b", "c")
    np.savez(tmp_path / "b.npz", X=x, y=np.eye(3)[np.arange(12) % 3], more=np.zeros(3))
    data = load_dataset(tmp_path / "b.npz")
    assert data.classes == ("0", "1", "2")
    assert data.notes[:2] == (
        "Of the arrays in b.npz, X and y are used; left out: more.",
        "target 0, target 1, target 2 hold exactly one 1 in each row, whose place is taken as the class; with the task "
        "regression (--task regression) they are 3 numbers.",
    )
    np.savez(tmp_path / "c.npz", X=x, y=np.random.default_rng(0).random((12, 2)))
    assert load_dataset(tmp_path / "c.npz").task_name == "regression, 2 targets"


def test_npy_is_for_predictions(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", pixels(0, (5, 8, 8)))
    raw = read_any(tmp_path / "a.npy", ReadOptions())
    assert raw.signals is not None
    assert raw.table.columns == ["row"]
    assert raw.signals.shape == (8, 8, 1)
    np.save(tmp_path / "a.npy", pixels(0, (12, 8, 8)))
    with pytest.raises(DataError, match=r"a\.npy holds images without targets, .* give targets beside them, as y"):
        load_dataset(tmp_path / "a.npy")


def test_arrays_are_scaled_on_demand(tmp_path: Path) -> None:
    x = np.kron(pixels(0, (12, 4, 4)), np.ones((1, 6, 6), np.uint8))
    np.savez(tmp_path / "a.npz", X=x, y=np.arange(12) % 2)
    data = load_dataset(tmp_path / "a.npz", options=ReadOptions(image_size="8x8"))
    assert data.signals is not None
    assert data.signals.shape == (8, 8, 1)
    assert data.signals.values.dtype == np.uint8
    assert data.notes[0].startswith("All 12 images: 24 × 24 pixels, scaled to cover 8 × 8")


def test_tables_in_numpy_files_stay_tables(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", X=np.random.default_rng(0).random((20, 3)), y=np.arange(20.0))
    assert load_dataset(tmp_path / "a.npz").signals is None
    np.save(tmp_path / "b.npy", np.zeros((600, 10)))
    for kind in ("images", "series"):
        with pytest.raises(DataError, match=rf"b\.npy: an array of shape \(600, 10\) is a table, 10 .* kind='{kind}'"):
            load_dataset(tmp_path / "b.npy", options=ReadOptions(kind=kind))
    with pytest.raises(DataError, match=r"the data are a table, not images, which come in a folder of image files"):
        load_dataset(np.zeros((600, 10)), options=ReadOptions(kind="images"))
    (tmp_path / "c.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"c\.csv is a table, not series, which come in NumPy"):
        load_dataset(tmp_path / "c.csv", options=ReadOptions(kind="series"))


def test_numpy_files_that_cannot_be_used(tmp_path: Path) -> None:
    x, y = pixels(0, (12, 8, 8)), np.arange(12) % 2
    file = tmp_path / "a.npz"
    np.savez(file, x_train=x, y_train=y)
    with pytest.raises(DataError, match=r"a\.npz holds x_train \(12, 8, 8\), y_train \(12,\); expected .* as X or x"):
        load_dataset(file)
    np.savez(file, X=x, y=y[:5])
    with pytest.raises(DataError, match=r"a\.npz: 12 images but 5 targets; expected one for each"):
        load_dataset(file)
    np.savez(file, X=np.where(np.arange(12)[:, None, None] == 4, np.nan, x), y=y)
    with pytest.raises(DataError, match=r"a\.npz: image 5 holds NaN or infinite pixels"):
        load_dataset(file)
    np.savez(file, X=x * 1j, y=y)
    with pytest.raises(DataError, match=r"a\.npz: expected real numbers, got complex128"):
        load_dataset(file)
    np.savez(file, X=np.zeros((3, 4, 5, 6, 7)), y=y)
    with pytest.raises(DataError, match=r"a\.npz: expected images .* got an array of shape \(3, 4, 5, 6, 7\)"):
        load_dataset(file)
    np.save(tmp_path / "b.npy", x)
    whole = (tmp_path / "b.npy").read_bytes()
    (tmp_path / "b.npy").write_bytes(whole[:300])
    with pytest.raises(DataError, match=r"b\.npy is no readable NumPy file \(.* 768 B, but 172 B follow\)"):
        load_dataset(tmp_path / "b.npy")
    np.savez(file, X=x, y=np.array([None] * 12))
    with pytest.raises(DataError, match=r"a\.npz is no readable NumPy file"):
        load_dataset(file)


def test_hdf5(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    x = np.random.default_rng(0).random((20, 9, 11, 2))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["images"], file["labels"], file["extra/run"] = x, [b"on", b"off"] * 10, 7
    data = load_dataset(tmp_path / "a.h5")
    assert data.classes == ("off", "on")
    assert data.signals is not None
    assert data.signals.channels == ("channel 0", "channel 1")
    np.testing.assert_array_equal(data.signals.values, x.astype(np.float32))
    assert data.notes[0] == "Of the datasets in a.h5, images and labels are used; left out: extra/run."
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file["run/frames"], file["run/truth"] = x, np.zeros(20)
    with pytest.raises(
        DataError, match=r"b\.h5 has run/frames \(20, 9, 11, 2\), run/truth \(20,\); expected .* X or x"
    ):
        load_dataset(tmp_path / "b.h5")
    (tmp_path / "c.h5").write_text("nothing of the kind")
    with pytest.raises(DataError, match=r"c\.h5 is no readable HDF5 file"):
        load_dataset(tmp_path / "c.h5")


def test_hdf5_without_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "c.h5").write_text("nothing")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(DataError, match=r"c\.h5: HDF5 files need an extra package\. .* pip install 'shoal\[science\]'"):
        load_dataset(tmp_path / "c.h5")


MEASURE = """
import resource, sys
import PIL.Image, PIL.PngImagePlugin
from shoal.data.loading import load_dataset
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
before = peak()
data = load_dataset(sys.argv[1])
print((peak() - before) / data.signals.values.nbytes)
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is counted in other units elsewhere")
@pytest.mark.parametrize("form", ["folder", "npz"])
def test_images_are_in_memory_once(tmp_path: Path, form: str) -> None:
    if form == "folder":
        for i in range(60):
            save(tmp_path / "in" / "ab"[i % 2] / f"{i}.bmp", np.full((700, 800, 3), i, np.uint8))
    else:
        values = np.zeros((60, 700, 800, 3), np.uint8)
        np.savez(tmp_path / "in.npz", X=values, y=np.arange(60) % 2)
    path = tmp_path / ("in" if form == "folder" else "in.npz")
    done = subprocess.run([sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 1.7


# ----- what is said of them, and predictions -----


def test_description(photos: Path) -> None:
    shown = describe(load_dataset(photos))
    assert shown.signals is not None
    assert shown.signals.lines()[0] == "images of 8 × 10 pixels with 3 channels, uint8"
    every = np.stack([pixels(i) for i in range(12)])
    assert shown.signals.channels[0] == ("red", every[..., 0].min(), every[..., 0].max(), every[..., 0].mean())
    assert shown.classes == {"cat": 6, "dog": 6}
    assert shown.as_dict()["signals"]["shape"] == COLOUR
    assert "repeat" not in "".join(shown.warnings)
    save(photos / "cat" / "05.png", pixels(0))
    assert "1 row repeats an earlier one in all pixels and targets." in "".join(describe(load_dataset(photos)).warnings)


def test_description_on_the_command_line(photos: Path) -> None:
    import json

    from typer.testing import CliRunner

    from shoal.cli.app import app

    shown = CliRunner().invoke(app, ["describe", str(photos)], env={"COLUMNS": "200"})
    assert "images of 8 × 10 pixels with 3 channels, uint8" in shown.stdout
    assert "red: 0 … 25" in shown.stdout
    assert "classes: cat (6), dog (6)" in shown.stdout
    told = CliRunner().invoke(app, ["describe", str(photos), "--json", "--image-size", "4x4"])
    assert json.loads(told.stdout)["signals"]["shape"] == [4, 4, 3]


def test_galaxies_are_what_they_say() -> None:
    table, _, signals = galaxies()
    assert signals.values.dtype == np.uint16
    assert set(table["type"]) == set(GALAXIES)
    assert signals.values.mean() > 40
    even = {"x": 0.0, "y": 0.0, "radius": 4.0, "angle": 0.0, "flattening": 1.0}
    disk = galaxy_brightness("edge-on", **even)
    np.testing.assert_allclose(disk, disk.T)
    np.testing.assert_allclose(np.log(disk[12, 13] / disk[12, 17]), (np.hypot(0.5, 5.5) - np.hypot(0.5, 1.5)) / 4)
    spiral = galaxy_brightness("spiral", **even)
    np.testing.assert_allclose(spiral, spiral[::-1, ::-1])  # two arms


def test_predictions_from_a_folder(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from shoal.data import Preparation
    from shoal.networks import Network
    from shoal.networks.layers import Dense, Flatten
    from shoal.prediction.predictor import EnsembleMember, Predictor
    from shoal.run import Run
    from shoal.streams import Stream

    preparation = Preparation.fit(load_dataset(photos), np.arange(12))
    network = Network([Flatten(), Dense(2, activation="softmax")], input_shape=COLOUR)
    member = EnsembleMember(0, {}, network, network.initialize(Stream(0, 0)))
    run = Run.__new__(Run)
    run.__dict__["predictor"] = Predictor(preparation, (member,), np.zeros(1), np.ones(1))
    for i in range(3):
        save(tmp_path / "new" / f"{i}.png", pixels(i, (16, 20, 3)))
    with pytest.warns(ShoalWarning, match=r"new: 3 of 3 images: another size than 8 × 10 pixels"):
        table, prediction = run.predict_table(str(tmp_path / "new"))
    assert table["file"].to_list() == ["0.png", "1.png", "2.png"]
    assert prediction.probabilities is not None
    assert prediction.probabilities.shape == (3, 2)
    assert len(run.predict(photos)) == 12
    np.savez(tmp_path / "small.npz", X=pixels(0, (3, 4, 5, 3)), y=np.zeros(3))
    with pytest.raises(DataError, match=r"trained on images of 8 × 10 pixels with 3 channels, got 4 × 5"):
        run.predict(tmp_path / "small.npz")
    with pytest.raises(DataError, match=r"trained on images, got a table"):
        run.predict({"a": [1.0]})
    assert isinstance(table, pl.DataFrame)
