"""`run.json` says what happened, in numbers that every JSON reader takes."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from apu.body.joints import joint_names
from apu.show.report import RunInfo, age_group, clean_text, knee_flexion_deg, plain, run_report
from apu.show.schema import RunReport, json_schema

PAGE = Path(__file__).resolve().parents[2] / "docs" / "outputs.md"


@pytest.fixture
def report(photo, people, observation, fit, run_info) -> RunReport:
    return run_report(photo, people, [(observation, fit)], run_info)


def as_json(report: RunReport) -> dict:
    return json.loads(json.dumps(report.model_dump(mode="json"), allow_nan=False))


def test_the_report_is_valid_under_its_own_schema(report):
    assert RunReport.model_validate_json(json.dumps(as_json(report)), strict=True) == report


def test_an_unknown_field_is_not_valid(report):
    with pytest.raises(ValueError, match="surprise"):
        RunReport.model_validate(as_json(report) | {"surprise": 1})


def test_numbers_are_those_of_the_fit(report, fit):
    found = as_json(report)
    assert found["seed"] == 7
    assert found["photo"]["name"] == "two_capsules"
    assert found["people_found"]["count"] == len(found["people_found"]["boxes"]) == 3
    (pair,) = found["pairs"]
    assert pair["pair"] == [0, 2]
    assert [p["index"] for p in pair["people"]] == [0, 2]
    assert [p["height_m"] for p in pair["people"]] == [1.72, 1.21]
    assert [p["age_group"] for p in pair["people"]] == ["adult", "child"]
    assert pair["fit"]["reprojection_percent"] == [1.25, 2.5]
    assert pair["fit"]["penetration_max_m"] == 0.011
    assert [c["distance_m"] for c in pair["fit"]["contacts"]] == [
        {"before": 0.123, "after": 0.004},
        {"before": 0.3, "after": 0.055},
    ]
    assert [c["label"] for c in pair["fit"]["contacts"]] == [
        "left hand palm - right upper arm front",
        "left arm - head",
    ]
    assert pair["fit"]["terms"]["contact"] == {"keypoints": 1.0, "contact": 0.5}
    assert pair["fit"]["stop"] == {"joints": "converged", "contact": "iteration limit"}
    root = joint_names("body25").index("mid_hip")
    assert [p["root_depth_m"] for p in pair["people"]] == pytest.approx(fit.joints[:, root, 2].tolist())


def test_the_share_of_a_contacts_weight_that_the_fit_left_it_is_told(photo, people, observation, fit, run_info):
    doubted = replace(fit, contact_results=(replace(fit.contact_results[0], trust=0.25), fit.contact_results[1]))
    contacts = as_json(run_report(photo, people, [(observation, doubted)], run_info))["pairs"][0]["fit"]["contacts"]
    assert [c["trust"] for c in contacts] == [0.25, 1.0]
    assert [c["weight"] for c in contacts] == [0.67, 1.0], "as the contacts were given"


def test_versions_name_the_body_model_and_what_the_caller_adds(photo, people, observation, fit, run_info):
    info = replace(run_info, versions={"detector": "movenet-1"})
    versions = as_json(run_report(photo, people, [(observation, fit)], info))["versions"]
    assert versions["body_model"] == "capsules-1"
    assert versions["detector"] == "movenet-1"
    assert {"apu", "torch", "numpy"} <= set(versions)


def test_what_is_not_finite_becomes_null(photo, people, observation, fit, run_info):
    sick = replace(
        fit,
        vertices=fit.vertices * math.nan,
        joints=fit.joints * math.nan,
        reprojection_percent=(math.nan, math.inf),
        penetration_max_m=math.nan,
        heights_m=(math.nan, 1.2),
        attributes={"age": (math.nan, 0.2)},
    )
    info = replace(run_info, options={"weight": math.nan, "list": [1.0, -math.inf]})
    found = as_json(run_report(photo, people, [(observation, sick)], info))
    (pair,) = found["pairs"]
    assert pair["fit"]["reprojection_percent"] == [None, None]
    assert pair["fit"]["penetration_max_m"] is None
    assert pair["people"][0]["height_m"] is None
    assert pair["people"][0]["age_group"] == "unknown"
    assert pair["people"][0]["knee_angles_deg"] == [None, None]
    assert found["options"] == {"weight": None, "list": [1.0, None]}


def test_a_run_without_pairs_is_valid_too(photo, people, run_info):
    found = as_json(run_report(photo, people, [], run_info))
    assert found["pairs"] == []
    assert found["photo"]["focal_px"] is None


def test_options_of_any_kind_become_plain_json(tmp_path):
    options = {
        "path": tmp_path, "tuple": (1, 2), "set": {"b", "a"}, "array": np.arange(3), "tensor": torch.ones(2),
        "number": np.float32(0.5), "none": None, "flag": True, "other": object, "nested": {1: {"x": np.int64(3)}},
    }  # fmt: skip
    found = plain(options)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert isinstance(found, dict)
    assert found["path"] == str(tmp_path)
    assert found["set"] == ["a", "b"]
    assert found["array"] == [0, 1, 2]
    assert found["nested"] == {"1": {"x": 3}}


def test_file_names_that_are_no_text_are_escaped():
    assert clean_text("caf\udce9") == "caf\\udce9"
    assert clean_text("Zürich 東京") == "Zürich 東京"


def test_a_photo_with_a_name_that_is_no_text_can_be_reported(photo, people, observation, fit, run_info):
    named = replace(photo, name="caf\udce9")
    text = json.dumps(as_json(run_report(named, people, [(observation, fit)], run_info)))
    assert "caf" in text
    assert text.encode("utf-8")


@pytest.mark.parametrize("angle", [0, 30, 90, 150, 180])
@pytest.mark.parametrize("side", ["left", "right"])
def test_the_knee_angle_is_zero_when_straight_and_grows_with_flexion(angle, side):
    names = joint_names("body25")
    joints = torch.zeros(25, 3)
    joints[names.index(f"{side}_hip")] = torch.tensor([0.1, 0.0, 3.0])
    joints[names.index(f"{side}_knee")] = torch.tensor([0.1, 0.4, 3.0])
    turn = math.radians(angle)
    joints[names.index(f"{side}_ankle")] = torch.tensor([0.1, 0.4 + 0.4 * math.cos(turn), 3.0 + 0.4 * math.sin(turn)])
    assert knee_flexion_deg(joints, side) == pytest.approx(angle, abs=1e-3)


@pytest.mark.parametrize(("age", "group"), [(0.0, "child"), (0.49, "child"), (0.5, "adult"), (math.nan, "unknown")])
def test_age_groups(age, group):
    assert age_group(age) == group


def test_a_body_model_without_age_is_of_unknown_age(photo, people, observation, fit, run_info):
    found = as_json(run_report(photo, people, [(observation, replace(fit, attributes={}))], run_info))
    assert [p["age"] for p in found["pairs"][0]["people"]] == [None, None]
    assert [p["age_group"] for p in found["pairs"][0]["people"]] == ["unknown", "unknown"]


def test_seconds_and_options_come_from_the_caller(report):
    assert report.seconds == 3.5
    assert report.options == {"pair": [0, 2]}


def test_run_info_needs_no_versions():
    assert RunInfo(seed=0, options={}, seconds=0.0, contacts_note="", focal_source="").versions == {}


# ---- the page


def described(schema: dict) -> list[str]:
    """One line per field of the schema: `path | type | meaning`, in the order of the file."""
    definitions = schema["$defs"]

    def type_of(field: dict) -> str:
        if "anyOf" in field:
            return " or ".join(type_of(option) for option in field["anyOf"])
        if "$ref" in field:
            name = field["$ref"].rsplit("/", 1)[1]
            return type_of(definitions[name]) if "properties" not in definitions[name] else "object"
        if "enum" in field:
            return " or ".join(f'"{value}"' for value in field["enum"])
        if "const" in field:
            return str(field["const"])
        if field.get("type") == "array":
            size = field.get("maxItems")
            return f"list of {f'{size} ' if size else ''}{type_of(field['items'])}"
        if field.get("type") == "object":
            inner = field.get("additionalProperties")
            return f"object of {type_of(inner)}" if isinstance(inner, dict) and inner else "object"
        return field.get("type", "any")

    def walk(properties: dict, path: str):
        for name, field in properties.items():
            here = f"{path}{name}"
            yield f"| `{here}` | {type_of(field)} | {field['description']} |"
            inner, mark = (field["items"], "[].") if "items" in field else (field, ".")
            inner = next((option for option in inner.get("anyOf", []) if "$ref" in option), inner)  # or null
            reference = definitions.get(inner.get("$ref", "").rsplit("/", 1)[-1], {})
            if "properties" in reference:
                yield from walk(reference["properties"], here + mark)

    return list(walk(schema["properties"], ""))


def test_the_page_describes_the_schema_of_run_json_field_by_field():
    """When this fails the schema has changed: the lines in the message belong into docs/outputs.md."""
    section = PAGE.read_text(encoding="utf-8").split("## `run.json`")[1].split("\n## ")[0]
    written = [line for line in section.splitlines() if line.startswith("| `")]
    expected = described(json_schema())
    assert written == expected, "\n" + "\n".join(expected)
