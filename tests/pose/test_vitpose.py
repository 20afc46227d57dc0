"""ViTPose by `transformers`, on a tiny model with known answers: no weights are fetched."""

import json
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
from transformers import BertConfig, VitPoseBackboneConfig, VitPoseConfig, VitPoseForPoseEstimation
from transformers import VitPoseImageProcessorPil as Processor

from apu.errors import InputError, ModelFileError
from apu.pose import vitpose
from apu.pose.vitpose import VitPose, load_vitpose

HEIGHT, WIDTH = 64, 48
PIXELS = np.random.default_rng(0).integers(0, 255, (200, 300, 3), dtype=np.uint8)


def model(joints: int = 17, experts: int = 1) -> VitPoseForPoseEstimation:
    torch.manual_seed(0)
    backbone = VitPoseBackboneConfig(
        image_size=(HEIGHT, WIDTH), patch_size=(16, 16), hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
        mlp_ratio=1, num_experts=experts, part_features=4, out_indices=[1],
    )  # fmt: skip
    return VitPoseForPoseEstimation(VitPoseConfig(backbone_config=backbone, num_labels=joints)).eval()


def saved(folder: Path, joints: int = 17, experts: int = 1) -> Path:
    model(joints, experts).save_pretrained(folder)
    Processor(size={"height": HEIGHT, "width": WIDTH}).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("experts", [1, 3])
def test_a_saved_model_gives_what_the_library_gives_box_by_box(tmp_path: Path, experts: int):
    net = load_vitpose(saved(tmp_path / "net", experts=experts))
    boxes = [(10.0, 20.0, 110.0, 180.0), (150.0, 5.0, 190.0, 100.0)]
    together = net(PIXELS, boxes)
    assert [rows.shape for rows in together] == [(17, 3)] * 2
    for box, rows in zip(boxes, together, strict=True):
        assert net(PIXELS, [box])[0] == pytest.approx(rows, abs=1e-3)
    x0, y0, x1, y1 = boxes[0]
    processor = Processor(size={"height": HEIGHT, "width": WIDTH})
    inputs = processor(PIXELS, boxes=[[[x0, y0, x1 - x0, y1 - y0]]], return_tensors="pt")
    expert = {"dataset_index": torch.tensor([0])} if experts > 1 else {}
    with torch.no_grad():
        heatmaps = model(experts=experts)(inputs["pixel_values"], **expert).heatmaps[0]
    assert together[0][:, 2] == pytest.approx(heatmaps.amax((1, 2)).numpy(), abs=1e-4)


class OnePeak:
    """A model whose heat maps peak at one cell."""

    def __init__(self, x: int, y: int) -> None:
        self.config, self._cell = model().config, (y, x)

    def __call__(self, pixel_values: torch.Tensor):
        rows, columns = torch.meshgrid(torch.arange(16.0), torch.arange(12.0), indexing="ij")
        y, x = self._cell
        peak = 0.75 * torch.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 8)
        heatmaps = peak.expand(len(pixel_values), 17, -1, -1)
        return type("Output", (), {"heatmaps": heatmaps})()


def test_a_peak_in_the_middle_of_the_map_is_the_middle_of_the_box():
    net = VitPose(OnePeak(6, 8), Processor(size={"height": HEIGHT, "width": WIDTH}))
    (rows,) = net(PIXELS, [(100.0, 50.0, 160.0, 130.0)])  # 60 x 80, as the net's input; padded by 1.25
    cell = np.array([75 / 11, 100 / 15])  # pixels between two cells; the outermost lie on the padded box's border
    expected = np.array([130, 90]) + (np.array([6, 8]) - np.array([5.5, 7.5])) * cell
    assert rows[:, :2] == pytest.approx(np.tile(expected, (17, 1)), abs=0.15 * cell.max())
    assert rows[:, 2] == pytest.approx(0.75)


def test_many_people_are_looked_at_in_several_batches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    net = load_vitpose(saved(tmp_path / "net"))
    boxes = [(10.0 * i, 5.0, 10.0 * i + 60, 120.0) for i in range(5)]
    whole = net(PIXELS, boxes)
    monkeypatch.setattr(vitpose, "AT_ONCE", 2)
    assert np.array(net(PIXELS, boxes)) == pytest.approx(np.array(whole), abs=1e-3)


def test_weights_of_another_model_are_refused(tmp_path: Path):
    BertConfig().save_pretrained(tmp_path / "bert")
    saved(tmp_path / "animals", joints=20)
    saved(tmp_path / "cut")
    (tmp_path / "cut" / "model.safetensors").write_bytes(b"no weights")
    half = saved(tmp_path / "half")
    torch.manual_seed(1)
    from safetensors.torch import load_file, save_file

    weights = load_file(half / "model.safetensors")
    save_file(
        {k: v for k, v in weights.items() if not k.startswith("head")}, half / "model.safetensors", {"format": "pt"}
    )
    for name, told in (("bert", "bert"), ("animals", "20 joints"), ("cut", ""), ("half", "weights without head")):
        with pytest.raises(ModelFileError) as error:
            load_vitpose(tmp_path / name)
        assert told in str(error.value.got)
        assert "--detector-weights" in str(error.value.remedy)


def test_pickled_weights_are_not_read(tmp_path: Path):
    folder = saved(tmp_path / "net")
    torch.save(model().state_dict(), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelFileError, match="ViTPose's weights"):
        load_vitpose(folder)


def test_a_folder_without_a_model_and_a_file_are_refused(tmp_path: Path):
    (tmp_path / "file").write_text(json.dumps({}))
    for place, told in (
        (tmp_path, "no config.json"),
        (tmp_path / "none", "no config.json"),
        (tmp_path / "file", "a file"),
    ):
        with pytest.raises(ModelFileError) as error:
            load_vitpose(place)
        assert told in str(error.value.got)


def test_offline_the_error_says_at_once_what_to_put_where(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    tries: list[str] = []

    def unreachable(request, timeout: float):
        tries.append(request.full_url)
        raise URLError("no route")

    def nothing_there(name: str, where: object, *, offline: bool):
        assert offline, "the library was asked to fetch without a network"
        raise ModelFileError("not there")

    monkeypatch.setattr(vitpose, "urlopen", unreachable)
    monkeypatch.setattr(vitpose, "_read", nothing_there)
    vitpose._loaded.cache_clear()
    with pytest.raises(ModelFileError) as error:
        load_vitpose()
    assert len(tries) == 1
    assert "model.safetensors" in str(error.value.expected)
    assert "--detector-weights" in str(error.value.remedy)


def test_without_the_package_the_error_has_the_command(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(vitpose, "find_spec", lambda name: None)
    with pytest.raises(InputError) as error:
        load_vitpose()
    assert error.value.remedy == 'pip install "ask-pose-unite[vitpose]"'
