"""Section 6 end to end: shards in the true layout, a real network, the command line, the record, the page's cells."""

import pytest
from fixtures_layouts import small_image, write_shards

from helpers import cli, results

pytest.importorskip("torch", reason="needs the extra `models`")
MODEL = "efficientnet_lite0"
TASKS = {"vtab_eurosat": (10, 60, 20), "vtab_dsprites_label_x_position": (32, 192, 32)}  # classes, train, test


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards")
    for task, (classes, *sizes) in TASKS.items():
        for split, n in zip(("train", "test"), sizes, strict=True):
            samples = [(small_image(1000 * n + i, "WEBP"), i % classes) for i in range(n)]
            write_shards(folder / task, split, samples, 16)
    return {task: folder / task for task in TASKS}


def done(arguments):
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    assert end.value.code == 0


@pytest.mark.slow
def test_tasks_that_are_here_are_probed_and_the_others_say_why_not(local, capsys):
    stand_ins = [f"{name}={path}" for name, path in local.items()]
    command = ["run", "--profile", "paper", "--models", MODEL, "--only", "06", "--local", *stand_ins]
    done(command)
    first = capsys.readouterr().out
    assert f"{MODEL} on vtab_eurosat/train@local: 60 images" in first
    record = results.load("06_transferability", "paper")
    assert record.status == "partial"
    assert "vtab_pets" in record.reason
    assert "stand-in was used for vtab_eurosat" in record.reason
    accuracy = results.select(record.rows, metric="accuracy", model=MODEL, group="overall")
    views = accuracy.groupby("dataset")["view"].agg(set).to_dict()
    assert views == {
        "vtab_eurosat": {"paper.eval", "lbfgs.eval"},
        "vtab_dsprites_label_x_position": {"paper.eval", "lbfgs.eval", "lbfgs.unbinned"},
    }
    counts = results.select(record.rows, metric="probe_classes", dataset="vtab_dsprites_label_x_position")
    assert counts.set_index("view").value.to_dict() == {"paper.eval": 32, "lbfgs.eval": 16, "lbfgs.unbinned": 32}
    mean = results.select(record.rows, dataset="vtab", metric="accuracy", view="lbfgs.eval")
    assert mean.group.tolist() == ["mean_of_2", "specialized", "structured"]
    assert record.provenance["artifacts"]["vtab_eurosat"]
    done(command)
    again = capsys.readouterr().out
    assert again.count("stored already") == 4
    assert "0 executed, 1 reused" in again
