"""Sections 02 to 04 end to end: archives of the official layouts, a real network, the command line, the records."""

import pytest
from predict_tools import fake_cue_conflict, fake_imagenet_r, fake_validation

from helpers import cli, results

pytest.importorskip("torch", reason="needs the extra `models`")
MODEL = "efficientnet_lite0"
N = 24


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archives")
    return {
        "imagenet1k_val": fake_validation(folder / "val.tar", N),
        "imagenet_r": fake_imagenet_r(folder / "r.tar"),
        "cue_conflict": fake_cue_conflict(folder / "cue.tar.gz"),
    }


def asked(local, *more):
    stand_ins = [f"{name}={path}" for name, path in local.items()]
    return ["run", "--profile", "report", "--models", MODEL, "--only", "02", "03", "04", *more, "--local", *stand_ins]


def done(arguments):
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    assert end.value.code == 0


@pytest.mark.slow
def test_a_model_goes_through_three_sections_and_what_is_stored_is_not_run_again(local, capsys):
    done(asked(local))
    first = capsys.readouterr().out
    assert f"{MODEL} on imagenet1k_val@local: {N} images" in first
    for section, dataset in (("02_mistakes", "imagenet1k_val"), ("04_calibration", "imagenet_r")):
        record = results.load(section, "report")
        assert record.status == "partial"
        assert "stand-in was used for imagenet1k_val" in record.reason
        mine = results.select(record.rows, model=MODEL, dataset=dataset, metric="accuracy", group="overall")
        assert len(mine) == 1
        assert mine.view[0] == "paper.eval"
    shape = results.load("03_shape_texture", "report")
    assert shape.rows.view.dropna().unique().tolist() == ["paper.asis"]
    assert shape.provenance["artifacts"]["cue_conflict"]
    done(asked(local))
    again = capsys.readouterr().out
    assert again.count("stored already") == 3
    assert "0 executed, 3 reused" in again


@pytest.mark.slow
def test_parts_are_merged_to_the_same_rows(local, capsys):
    from helpers import store

    where = (MODEL, "imagenet1k_val@local", "paper.eval")
    for part in ("1/2", "2/2"):
        done(asked(local, "--shard", part))
    assert not store.has_predictions(*where)
    done(["merge"])
    assert "imagenet1k_val@local" in capsys.readouterr().out
    assert len(store.read_predictions(*where)[0]) == N


def test_the_profile_for_other_models_wants_them_named(capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["run", "--profile", "report"])
    assert end.value.code == 1
    assert "found none" in capsys.readouterr().err
