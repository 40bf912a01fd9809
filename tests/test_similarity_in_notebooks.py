"""Section 9 end to end: an archive of the official layout, networks of both kinds, the command line, the record."""

import pytest
from predict_tools import fake_validation

from helpers import cli, models, results, store
from helpers.errors import InputsUnavailable
from helpers.models import twins

pytest.importorskip("torch", reason="needs the extra `models`")
PAIR = ("twin_convnext_sup", "twin_vit_clip")
N = 24


def run(*more):
    with pytest.raises(SystemExit) as end:
        cli.main(["run", "--profile", "paper", "--models", ",".join(PAIR), "--only", "09", *more])
    return end.value.code


@pytest.mark.slow
def test_layers_of_networks_are_compared_on_a_small_archive_and_not_again(tmp_path, capsys):
    for key in PAIR:
        try:
            twins.weights_path(models.MODELS[key])
        except InputsUnavailable as error:
            pytest.skip(str(error))
    archive = f"imagenet1k_val={fake_validation(tmp_path / 'val.tar', N)}"
    assert run("--local", archive) == 0
    assert "3 pairs of models computed, 0 stored already" in capsys.readouterr().out
    record = results.load("09_similarity", "paper")
    assert record.status == "partial"
    assert "stand-in was used for imagenet1k_val" in record.reason
    assert f"{N} images of imagenet1k_val where 2,560 were asked for" in record.reason
    assert record.provenance["artifacts"]["imagenet1k_val"]
    rows = record.rows
    assert set(rows.model) == {*PAIR, " ~ ".join(PAIR), f"{PAIR[1]} - {PAIR[0]}"}
    found = results.select(rows, model=" ~ ".join(PAIR), metric="cka", group="all: same depth").iloc[0]
    assert found.n == N
    assert -0.2 < found.value <= 1
    assert found.ci_low < found.value < found.ci_high
    assert found.dataset == "imagenet1k_val"
    counts = results.select(rows, metric="layers", model=PAIR[0]).set_index("group").value
    assert counts.to_dict() == {"all": 82, "conv": 16, "linear": 25, "norm": 17}
    stored = store.read_hsic(store.pair_name(*PAIR), "imagenet1k_val@local@2560", "paper.eval")
    assert stored[0].shape == (2, 82, 32)
    assert stored[1]["batch_size"] == N // 2
    assert run("--local", archive) == 0
    again = capsys.readouterr().out
    assert "0 pairs of models computed, 3 stored already" in again
    assert "0 executed, 1 reused" in again
