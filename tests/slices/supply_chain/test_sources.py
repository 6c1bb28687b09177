"""Watched places beyond folders: what each lists, what it brings, and what it will not be led to."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import pickle
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import installed
from tests.slices.supply_chain import outside

from alcaide.app.cli import run
from alcaide.app.plugins import plugins
from alcaide.kernel.errors import Conflict, InvalidInput, Unavailable
from alcaide.kernel.instance import open_instance
from alcaide.kernel.jobs import enqueue
from alcaide.kernel.jobs.worker import Worker
from alcaide.slices.supply_chain import jobs, queries, rules, service
from alcaide.slices.supply_chain.model import TIDY_JOB, WATCH_JOB
from alcaide.slices.supply_chain.service import sources
from alcaide.slices.supply_chain.service.sources.s3 import S3

GOOD = pickle.dumps({"weights": [0.5, 1.25], "name": "berth"}, protocol=4)
EVIL = b"cos\nsystem\n(S'true'\ntR."
STORE = "https://store.example:9000/models"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


@pytest.fixture
def stores() -> list[str]:
    """The stores that the settings list; a test that needs others overrides it."""
    return [STORE]


@pytest.fixture
def house(config, clock, models, stores):
    section = {"folders": [str(models)], "stores": stores, "max_download_mib": 1}
    mine = replace(config, sections={"supply_chain": section})
    opened = open_instance(mine, manifests=installed(), plugins=plugins(), clock=clock, migrate=False)
    yield opened
    opened.close()


def work(house: Any) -> None:
    with house.db.transaction() as conn:
        enqueue(conn, house.clock(), WATCH_JOB, {})
    worker = Worker(house, [*jobs.JOBS], clock=house.clock)
    worker.run_due()
    worker.run_due()


def scans(house: Any) -> dict[str, Any]:
    with house.read() as conn:
        return {one.title.partition("/")[2]: one for one in queries.scans(conn)[0]}


def report(house: Any, line: Any) -> Mapping[str, Any]:
    with house.read() as conn:
        found = queries.report(conn, line.id)
    assert found is not None
    return found


def problem(house: Any) -> str:
    with house.read() as conn:
        [watch] = queries.watches(conn)
    return watch.problem


def findings(house: Any, line: Any) -> list[str]:
    return [one["message"] for artifact in report(house, line)["artifacts"] for one in artifact["findings"]]


def leftovers(house: Any) -> list[Path]:
    folder = house.config.data / "quarantine"
    return list(folder.iterdir()) if folder.exists() else []


# ── Hugging Face ─────────────────────────────────────────────────────────────────────────────────────────────────


def hub(models: Path, name: str, revision: str, files: Mapping[str, bytes]) -> Path:
    """A repository in a cache, as huggingface_hub lays it out."""
    repository = models / "hub" / f"models--{name.replace('/', '--')}"
    snapshot = repository / "snapshots" / revision
    (repository / "blobs").mkdir(parents=True, exist_ok=True)
    for path, content in files.items():
        digest = hashlib.sha256(content).hexdigest()
        (repository / "blobs" / digest).write_bytes(content)
        link = snapshot / path
        link.parent.mkdir(parents=True, exist_ok=True)
        up = "../" * (path.count("/") + 2)
        link.symlink_to(f"{up}blobs/{digest}")
    return snapshot


def test_each_snapshot_of_a_hubs_cache_is_an_entry_and_its_files_are_the_blobs(house, lead, models):
    hub(models, "berth/planner", "a1", {"model.pkl": GOOD, "nested/more.pkl": GOOD})
    hub(models, "berth/planner", "b2", {"model.pkl": EVIL})
    service.add_watch(house, lead, "hub", str(models / "hub"), kind="huggingface")
    work(house)
    found = scans(house)
    assert {title: line.outcome for title, line in found.items()} == {
        "berth/planner@a1": "passed",
        "berth/planner@b2": "failed",
    }
    assert [one["path"] for one in report(house, found["berth/planner@a1"])["artifacts"]] == [
        "model.pkl",
        "nested/more.pkl",
    ]


def test_neighbours_in_a_snapshot_are_seen_through_their_links(house, lead, models):
    code = {"config.json": b'{"auto_map": {"AutoModel": "modeling.Model"}}', "modeling.py": b"import os\n"}
    hub(models, "berth/coded", "a1", code)
    plain = models / "coded"
    plain.mkdir()
    for name, content in code.items():
        (plain / name).write_bytes(content)
    service.add_watch(house, lead, "hub", str(models / "hub"), kind="huggingface")
    beside = service.scan_folder(house, lead, str(plain))
    work(house)
    with house.read() as conn:
        expected = queries.report(conn, beside)
    assert expected is not None
    same = report(house, scans(house)["berth/coded@a1"])
    assert [one["findings"] for one in same["artifacts"]] == [
        one["findings"] for one in expected["artifacts"]
    ]


def test_a_snapshots_link_out_of_the_cache_is_not_followed(house, lead, models, tmp_path):
    snapshot = hub(models, "berth/planner", "a1", {"model.pkl": GOOD})
    secret = tmp_path / "secret.pkl"
    secret.write_bytes(EVIL)
    (snapshot / "stolen.pkl").symlink_to(secret)
    service.add_watch(house, lead, "hub", str(models / "hub"), kind="huggingface")
    work(house)
    line = scans(house)["berth/planner@a1"]
    assert line.outcome == "unknown"
    assert findings(house, line) == [
        "`stolen.pkl` was not looked at: it is a link that leads out of what may be read, and was not followed"
    ]


def test_a_blob_that_is_not_what_its_name_says_is_found(house, lead, models):
    hub(models, "berth/planner", "a1", {"model.pkl": GOOD})
    [blob] = (models / "hub" / "models--berth--planner" / "blobs").iterdir()
    blob.write_bytes(pickle.dumps({"weights": [9.0]}, protocol=4))
    service.add_watch(house, lead, "hub", str(models / "hub"), kind="huggingface")
    work(house)
    line = scans(house)["berth/planner@a1"]
    assert line.outcome == "failed"
    assert "other bytes than those it was named for" in findings(house, line)[0]


def test_a_snapshot_is_scanned_again_only_when_it_changed(house, lead, models, clock):
    hub(models, "berth/planner", "a1", {"model.pkl": GOOD})
    service.add_watch(house, lead, "hub", str(models / "hub"), kind="huggingface")
    work(house)
    clock.advance(minutes=20)
    work(house)
    with house.read() as conn:
        assert queries.scans(conn)[2] == 1
    hub(models, "berth/planner", "a1", {"more.pkl": GOOD + b"\n"})
    clock.advance(minutes=20)
    work(house)
    with house.read() as conn:
        assert queries.scans(conn)[2] == 2


def test_a_folder_without_repositories_is_no_cache(house, lead, models):
    (models / "plain").mkdir()
    (models / "plain" / "model.pkl").write_bytes(GOOD)
    with pytest.raises(InvalidInput, match="holds no `models--…` folder"):
        service.add_watch(house, lead, "hub", str(models / "plain"), kind="huggingface")


def test_a_scanned_folders_link_out_of_what_may_be_read_is_not_followed(house, engineer, models, tmp_path):
    secret = tmp_path / "secret.pkl"
    secret.write_bytes(EVIL)
    folder = models / "berth"
    folder.mkdir()
    (models / "shared.pkl").write_bytes(GOOD)
    (folder / "inside.pkl").symlink_to(models / "shared.pkl")
    (folder / "outside.pkl").symlink_to(secret)
    scan_id = service.scan_folder(house, engineer, str(folder))
    work(house)
    with house.read() as conn:
        found = queries.report(conn, scan_id)
    assert found is not None
    outcomes = {one["path"]: [hit["rule"] for hit in one["findings"]] for one in found["artifacts"]}
    assert outcomes == {"inside.pkl": [], "outside.pkl": ["scan/unreadable"]}


# ── OCI ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class Layout:
    """An OCI image layout in the making."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.blobs = folder / "blobs" / "sha256"
        self.blobs.mkdir(parents=True)
        (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        self.manifests: list[dict[str, Any]] = []

    def blob(self, content: bytes, **more: Any) -> dict[str, Any]:
        digest = hashlib.sha256(content).hexdigest()
        (self.blobs / digest).write_bytes(content)
        return {"digest": f"sha256:{digest}", "size": len(content), **more}

    def manifest(self, layers: list[dict[str, Any]]) -> dict[str, Any]:
        config = self.blob(b"{}", mediaType="application/vnd.oci.empty.v1+json")
        content = json.dumps({"schemaVersion": 2, "config": config, "layers": layers}).encode()
        return self.blob(content, mediaType="application/vnd.oci.image.manifest.v1+json")

    def index(self, manifests: list[dict[str, Any]]) -> dict[str, Any]:
        content = json.dumps({"schemaVersion": 2, "manifests": manifests}).encode()
        return self.blob(content, mediaType="application/vnd.oci.image.index.v1+json")

    def tag(self, descriptor: dict[str, Any], name: str = "") -> None:
        more = {"annotations": {"org.opencontainers.image.ref.name": name}} if name else {}
        self.manifests.append({**descriptor, **more})
        (self.folder / "index.json").write_text(json.dumps({"manifests": self.manifests}))

    def layer(self, content: bytes, title: str) -> dict[str, Any]:
        return self.blob(content, annotations={"org.opencontainers.image.title": title})


def archive(**files: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return gzip.compress(packed.getvalue())


def test_each_manifest_of_a_layout_is_an_entry_and_its_layers_are_scanned(house, lead, models):
    layout = Layout(models / "layout")
    layout.tag(layout.manifest([layout.layer(GOOD, "model.pkl")]), "1.0")
    layout.tag(layout.manifest([layout.blob(archive(weights=EVIL))]), "2.0")
    untagged = layout.manifest([layout.layer(GOOD + b"\n", "model.pkl")])
    layout.tag(untagged)
    service.add_watch(house, lead, "layout", str(layout.folder), kind="oci")
    work(house)
    found = scans(house)
    assert {title: line.outcome for title, line in found.items()} == {
        "1.0": "passed",
        "2.0": "failed",
        untagged["digest"][7:19]: "passed",
    }
    assert [one["path"] for one in report(house, found["1.0"])["artifacts"]] == ["config.json", "model.pkl"]
    assert "os.system" in findings(house, found["2.0"])[0]
    assert leftovers(house) == []


def test_an_index_in_an_index_leads_to_its_manifests(house, lead, models):
    layout = Layout(models / "layout")
    platforms = [
        {**layout.manifest([layout.layer(data, "m.pkl")]), "platform": {"os": "linux", "architecture": name}}
        for name, data in (("amd64", GOOD), ("arm64", EVIL))
    ]
    layout.tag(layout.index(platforms), "latest")
    service.add_watch(house, lead, "layout", str(layout.folder), kind="oci")
    work(house)
    assert {title: line.outcome for title, line in scans(house).items()} == {
        "latest linux/amd64": "passed",
        "latest linux/arm64": "failed",
    }


def test_a_blob_with_another_digest_fails_and_a_missing_one_is_unknown(house, lead, models):
    layout = Layout(models / "layout")
    changed, gone = layout.layer(GOOD, "model.pkl"), layout.layer(GOOD + b"\n", "model.pkl")
    layout.tag(layout.manifest([changed]), "changed")
    layout.tag(layout.manifest([gone]), "gone")
    (layout.blobs / changed["digest"][7:]).write_bytes(pickle.dumps([1, 2], protocol=4))
    (layout.blobs / gone["digest"][7:]).unlink()
    service.add_watch(house, lead, "layout", str(layout.folder), kind="oci")
    work(house)
    found = scans(house)
    assert {title: line.outcome for title, line in found.items()} == {"changed": "failed", "gone": "unknown"}
    assert "should have the digest" in findings(house, found["changed"])[0]


def test_a_changed_manifest_and_one_by_another_algorithm_are_said_and_not_read(house, lead, models):
    layout = Layout(models / "layout")
    manifest = layout.manifest([layout.layer(GOOD, "model.pkl")])
    (layout.blobs / manifest["digest"][7:]).write_bytes(b'{"layers": []}')
    layout.tag(manifest, "changed")
    layout.tag({"digest": "sha512:" + "0" * 128, "size": 1}, "other")
    layout.tag({"digest": "sha256:../../../../etc/passwd", "size": 1}, "leading")
    service.add_watch(house, lead, "layout", str(layout.folder), kind="oci")
    work(house)
    found = scans(house)
    assert {line.state for line in found.values()} == {"failed"}
    assert "is not what its digest says" in found["changed"].problem
    assert "only sha256" in found["other"].problem
    assert "only sha256" in found["leading"].problem


def test_a_layers_title_leads_nowhere_and_hides_no_other_layer(house, lead, models, tmp_path):
    layout = Layout(models / "layout")
    titles = ["../../outside.pkl", "/etc/x.pkl", "a", "a/b.pkl", "a", "config.json", "x\0y"]
    layout.tag(
        layout.manifest([layout.layer(GOOD + b"\n" * n, title) for n, title in enumerate(titles)]), "t"
    )
    service.add_watch(house, lead, "layout", str(layout.folder), kind="oci")
    work(house)
    paths = [one["path"] for one in report(house, scans(house)["t"])["artifacts"]]
    assert len(paths) == len(set(paths)) == len(titles) + 1
    assert {"a", "config.json"} < set(paths)
    assert all(path.startswith("layer-") for path in set(paths) - {"a", "config.json"})
    assert not (tmp_path / "outside.pkl").exists()


def test_a_blob_that_is_a_link_out_of_the_layout_is_not_followed(house, lead, models, tmp_path):
    layout = Layout(models / "layout")
    layer = layout.layer(GOOD, "model.pkl")
    layout.tag(layout.manifest([layer]), "1.0")
    blob = layout.blobs / layer["digest"][7:]
    blob.unlink()
    (tmp_path / "secret").write_bytes(GOOD)
    blob.symlink_to(tmp_path / "secret")
    service.add_watch(house, lead, "layout", str(layout.folder), kind="oci")
    work(house)
    line = scans(house)["1.0"]
    assert line.outcome == "unknown"
    assert "leads out" in findings(house, line)[0]


@pytest.mark.parametrize("index", ["", "[]", "{", '{"manifests": 3}', "[" * 100_000])
def test_a_broken_index_is_said_and_asks_for_nothing(house, lead, models, index):
    layout = Layout(models / "layout")
    (layout.folder / "index.json").write_text(index)
    service.add_watch(house, lead, "layout", str(layout.folder), kind="oci")
    work(house)
    assert scans(house) == {}
    assert bool(problem(house)) == (index != '{"manifests": 3}')


def test_a_folder_without_index_is_no_layout(house, lead, models):
    (models / "plain").mkdir()
    with pytest.raises(InvalidInput, match=r"no `index\.json`"):
        service.add_watch(house, lead, "layout", str(models / "plain"), kind="oci")


# ── MLflow on disk ───────────────────────────────────────────────────────────────────────────────────────────────


def tracking(models: Path, elsewhere: str = "") -> Path:
    """A tracking folder with one registered version, one logged model and one run, as MLflow 3.17 writes it."""
    root = models / "mlruns"
    logged = root / "0" / "models" / "m-ab64"
    run = root / "0" / "77f3"
    version = root / "models" / "berth" / "version-1"
    for folder in (logged / "artifacts", run / "artifacts", version):
        folder.mkdir(parents=True)
    (root / "0" / "meta.yaml").write_text(f"artifact_location: file://{root}/0\nexperiment_id: '0'\n")
    (logged / "meta.yaml").write_text(f"artifact_location: file://{logged}/artifacts\nmodel_id: m-ab64\n")
    (logged / "artifacts" / "model.pkl").write_bytes(GOOD)
    (run / "meta.yaml").write_text(f"artifact_uri: file://{run}/artifacts\nrun_id: 77f3\n")
    (run / "artifacts" / "notes.pkl").write_bytes(EVIL)
    (root / "models" / "berth" / "meta.yaml").write_text("name: berth\n")
    location = elsewhere or f"file://{logged}/artifacts"
    (version / "meta.yaml").write_text(f"name: berth\nsource: models:/m-ab64\nstorage_location: {location}\n")
    return root


def test_registered_versions_come_first_and_what_is_in_no_registry_too(house, lead, models):
    root = tracking(models)
    service.add_watch(house, lead, "mlflow", str(root), kind="mlflow")
    work(house)
    assert {title: line.outcome for title, line in scans(house).items()} == {
        "berth/1": "passed",
        "0/77f3": "failed",
    }


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("file:///etc", "in none of the folders"),
        ("file://other.example/srv/models", "not on this server"),
        ("s3://elsewhere/berth", "not on this server"),
        ("'models:/berth/1'", "not on this server"),
    ],
)
def test_artifacts_elsewhere_are_an_entry_whose_scan_says_where_they_lie(house, lead, models, location, said):
    root = tracking(models, elsewhere=location)
    service.add_watch(house, lead, "mlflow", str(root), kind="mlflow")
    work(house)
    line = scans(house)["berth/1"]
    assert line.state == "failed"
    assert said in line.problem


@pytest.mark.parametrize(
    "meta", [b"!!python/object/apply:os.system ['true']", b"- 1\n", b"\xff\xfe", b"a: " + b"[" * 5_000]
)
def test_a_hostile_meta_file_is_said_and_does_nothing(house, lead, models, meta):
    root = tracking(models)
    (root / "models" / "berth" / "version-1" / "meta.yaml").write_bytes(meta)
    service.add_watch(house, lead, "mlflow", str(root), kind="mlflow")
    work(house)
    assert "meta.yaml" in problem(house)


def test_a_folder_without_experiments_is_no_tracking_folder(house, lead, models):
    (models / "plain").mkdir()
    (models / "plain" / "model.pkl").write_bytes(GOOD)
    with pytest.raises(InvalidInput, match="often `mlruns`"):
        service.add_watch(house, lead, "mlflow", str(models / "plain"), kind="mlflow")


# ── MLflow over HTTP ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def registry():
    with outside.MlflowServer() as server:
        yield server


class TestMlflowServer:
    @pytest.fixture
    def stores(self, registry):
        return [registry.address]

    def test_each_version_is_fetched_scanned_and_deleted(self, house, lead, registry):
        registry.add("berth", 1, {"MLmodel": b"flavors: {}\n", "data/model.pkl": GOOD})
        registry.add("berth", 2, {"model.pkl": EVIL})
        service.add_watch(house, lead, "mlflow", registry.address, kind="mlflow")
        work(house)
        found = scans(house)
        assert {title: line.outcome for title, line in found.items()} == {
            "berth/1": "passed",
            "berth/2": "failed",
        }
        paths = [one["path"] for one in report(house, found["berth/1"])["artifacts"]]
        assert paths == ["MLmodel", "data/model.pkl"]
        assert leftovers(house) == []

    def test_artifacts_that_the_server_does_not_hand_out_are_said(self, house, lead, registry):
        registry.add("berth", 1, {"model.pkl": GOOD})
        registry.uris[("berth", "1")] = "s3://elsewhere/berth"
        service.add_watch(house, lead, "mlflow", registry.address, kind="mlflow")
        work(house)
        assert "s3://elsewhere/berth" in scans(house)["berth/1"].problem

    def test_names_that_lead_out_are_refused(self, house, lead, registry):
        registry.add("berth", 1, {"..": GOOD})
        service.add_watch(house, lead, "mlflow", registry.address, kind="mlflow")
        work(house)
        assert "cannot be kept here" in scans(house)["berth/1"].problem
        assert leftovers(house) == []

    def test_a_server_that_refuses_is_said(self, house, lead, registry):
        registry.status = 403
        service.add_watch(house, lead, "mlflow", registry.address, kind="mlflow")
        work(house)
        assert "MLFLOW_TRACKING_TOKEN" in problem(house)

    def test_a_redirect_elsewhere_is_not_followed(self, house, lead, registry):
        registry.status = 302
        service.add_watch(house, lead, "mlflow", registry.address, kind="mlflow")
        work(house)
        assert "with 302" in problem(house)

    def test_a_server_that_is_not_listed_is_not_asked(self, house, lead, registry):
        with pytest.raises(InvalidInput, match="none of the stores"):
            service.add_watch(house, lead, "mlflow", "http://127.0.0.1:1", kind="mlflow")
        assert registry.asked == []


# ── S3 ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def bucket(monkeypatch):
    """A store in memory behind the address that the settings list."""
    store = pytest.importorskip("obstore.store").MemoryStore()
    monkeypatch.setitem(sources.SOURCES, "s3", S3(opener=lambda address: store))
    return store


def put(store: Any, **objects: bytes) -> None:
    for key, content in objects.items():
        store.put(key, content)


def test_each_folder_below_a_prefix_is_fetched_scanned_and_deleted(house, lead, bucket):
    put(bucket, **{"live/good/model.pkl": GOOD, "live/good/deep/more.pkl": GOOD, "live/evil/w.bin": EVIL})
    put(bucket, **{"live/alone.pkl": GOOD, "other/unseen.pkl": EVIL, "livelier/unseen.pkl": EVIL})
    service.add_watch(house, lead, "store", f"{STORE}/live", kind="s3")
    work(house)
    found = scans(house)
    assert {title: line.outcome for title, line in found.items()} == {
        "good": "passed",
        "evil": "failed",
        "alone.pkl": "passed",
    }
    paths = [one["path"] for one in report(house, found["good"])["artifacts"]]
    assert paths == ["deep/more.pkl", "model.pkl"]
    assert found["alone.pkl"].sha256 == hashlib.sha256(GOOD).hexdigest()
    assert found["good"].place == f"{STORE}/live/good"
    assert leftovers(house) == []


def test_what_did_not_change_is_not_fetched_again(house, lead, bucket, clock):
    put(bucket, **{"live/good/model.pkl": GOOD, "live/more/model.pkl": GOOD})
    service.add_watch(house, lead, "store", f"{STORE}/live", kind="s3")
    work(house)
    put(bucket, **{"live/more/model.pkl": EVIL})
    clock.advance(minutes=20)
    work(house)
    with house.read() as conn:
        lines, _, total = queries.scans(conn)
    assert total == 3
    assert (lines[0].title, lines[0].outcome) == ("store/more", "failed")


def test_more_than_may_be_fetched_is_refused_before_it_is(house, lead, bucket):
    put(bucket, **{"live/big/model.bin": b"\0" * ((1 << 20) + 1)})
    service.add_watch(house, lead, "store", f"{STORE}/live", kind="s3")
    work(house)
    line = scans(house)["big"]
    assert line.state == "failed"
    assert "max_download_mib" in line.problem
    assert leftovers(house) == []


def test_a_name_that_is_file_and_folder_at_once_is_said(house, lead, bucket):
    put(
        bucket,
        **{"live/odd/a": GOOD, "live/odd/a/b": EVIL, "live/marked/d": b"", "live/marked/d/m.pkl": GOOD},
    )
    service.add_watch(house, lead, "store", f"{STORE}/live", kind="s3")
    work(house)
    found = scans(house)
    assert "both a file and a folder" in found["odd"].problem
    assert found["marked"].outcome == "passed"
    assert leftovers(house) == []


def test_an_entry_of_a_store_is_scanned_again_from_where_it_lies(house, lead, bucket):
    put(bucket, **{"live/good/model.pkl": GOOD})
    service.add_watch(house, lead, "store", f"{STORE}/live", kind="s3")
    work(house)
    put(bucket, **{"live/good/model.pkl": EVIL})
    again = service.scan_again(house, lead, scans(house)["good"].id)
    Worker(house, [*jobs.JOBS], clock=house.clock).run_due()
    with house.read() as conn:
        assert queries.scan(conn, again).outcome == "failed"


def test_what_a_killed_worker_left_is_deleted_by_the_next_try_and_by_the_tidying(house, lead, bucket, clock):
    put(bucket, **{"live/good/model.pkl": GOOD})
    service.add_watch(house, lead, "store", f"{STORE}/live", kind="s3")
    service.look_into_watches(type("Context", (), {"instance": house, "check": lambda self: None})())
    [waiting] = scans(house).values()
    left = house.config.data / "quarantine" / waiting.id
    (left / "good").mkdir(parents=True)
    (left / "good" / "model.pkl").write_bytes(EVIL)
    os.utime(left, (0, 0))
    with house.db.transaction() as conn:
        enqueue(conn, house.clock(), TIDY_JOB, {})
    work(house)
    assert scans(house)["good"].outcome == "passed"
    assert leftovers(house) == []


def test_a_store_that_is_not_listed_is_not_read(house, lead, bucket):
    for address in (
        "s3://models",
        "https://store.example/models",
        "https://store.example:9000/model",
        f"{STORE}2",
    ):
        with pytest.raises(InvalidInput, match="none of the stores"):
            service.add_watch(house, lead, "store", address, kind="s3")


def test_without_the_library_it_is_said_what_to_install(house, lead, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "obstore.store", None)
    with pytest.raises(Unavailable, match=r"alcaide\[s3\]"):
        service.add_watch(house, lead, "store", STORE, kind="s3")


class TestS3OverHttp:
    @pytest.fixture
    def served(self, monkeypatch):
        pytest.importorskip("obstore")
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key-of-the-environment")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-environment")
        with outside.S3Server("models") as server:
            yield server

    @pytest.fixture
    def stores(self, served):
        return [f"{served.address}/models"]

    def test_objects_are_listed_and_fetched_with_the_environments_key(self, house, lead, served):
        served.objects.update({"live/good/model.pkl": GOOD, "live/evil/w.bin": EVIL})
        service.add_watch(house, lead, "store", f"{served.address}/models/live", kind="s3")
        work(house)
        assert {title: line.outcome for title, line in scans(house).items()} == {
            "good": "passed",
            "evil": "failed",
        }
        assert all("Credential=key-of-the-environment/" in one for one in served.authorizations)
        assert not any("secret-of-the-environment" in one for one in served.authorizations)

    def test_an_object_that_changes_after_it_was_listed_is_not_scanned_as_what_it_was(
        self, house, lead, served
    ):
        served.objects["live/good/model.pkl"] = GOOD
        served.before_get = lambda: served.objects.update({"live/good/model.pkl": EVIL})
        service.add_watch(house, lead, "store", f"{served.address}/models/live", kind="s3")
        work(house)
        line = scans(house)["good"]
        assert line.state == "failed"
        assert "cannot be fetched" in line.problem

    def test_a_store_that_refuses_is_said(self, house, lead, served):
        served.status = 403
        service.add_watch(house, lead, "store", f"{served.address}/models/live", kind="s3")
        work(house)
        assert "the store cannot be read" in problem(house)


# ── Addresses and names ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "address",
    [
        "models",
        "ftp://store.example/models",
        "file:///etc",
        "https://key:secret@store.example/models",
        "s3://key@models",
        "https://store.example/models?versions",
        "https://store.example/models#x",
        "https://store.example/models/../other",
        "https://store.example/models//x",
        "https://store.example\\@evil.example/models",
        "https://[::1/models",
        "s3://a b",
        "https:///models",
    ],
)
def test_what_is_no_address_of_a_store_is_refused(address):
    with pytest.raises(InvalidInput):
        rules.store_address(address)


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("s3://models", True),
        ("s3://models/live/x", True),
        ("s3://models2", False),
        ("https://models/live", False),
        ("https://store.example/all/b", True),
        ("https://STORE.example/all/b/c", True),
        ("https://store.example/all/bc", False),
        ("https://store.example/all", False),
        ("http://store.example/all/b", False),
        ("https://store.example:8443/all/b", False),
    ],
)
def test_an_address_may_be_read_at_or_below_a_listed_one_and_nowhere_else(address, allowed):
    bounds = [rules.store_address("s3://models"), rules.store_address("https://store.example/all/b")]
    asked = rules.store_address(address)
    if allowed:
        assert rules.allowed_store(asked, bounds) == asked
    else:
        with pytest.raises(InvalidInput):
            rules.allowed_store(asked, bounds)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("a/b.pkl", True),
        ("ä ö.pkl", True),
        ("..", False),
        ("a/../b", False),
        ("/a", False),
        ("a//b", False),
        ("a\\b", False),
        ("a\nb", False),
        ("", False),
        ("x" * 256, False),
        ("a/" * 60 + "b", False),
    ],
)
def test_a_strangers_name_leads_down_or_is_none(name, kept):
    assert rules.local_path(name) == (name if kept else None)


@pytest.mark.parametrize("stores", ["s3://models", [3], ["/srv"], ["https://u:p@h/b"]])
def test_a_wrong_store_in_the_settings_is_named(stores):
    from alcaide.kernel.errors import ConfigError

    with pytest.raises(ConfigError, match=r"supply_chain\.stores"):
        rules.settings({"stores": stores})


def test_the_api_and_the_page_take_the_kind(house, client_as, models):
    hub(models, "berth/planner", "a1", {"model.pkl": GOOD})
    client = client_as("security-lead")
    page = client.get("/scans/watches")
    headers = {"X-CSRF-Token": page.text.split('name="csrf-token" content="')[1].split('"')[0]}
    asked = {"name": "hub", "kind": "huggingface", "path": str(models / "hub")}
    assert client.post("/api/v1/scans/watches", json=asked, headers=headers).status_code == 201
    assert client.get("/api/v1/scans/watches").json()[0]["kind"] == "huggingface"
    wrong = client.post("/api/v1/scans/watches", json={**asked, "kind": "ftp"}, headers=headers)
    assert wrong.status_code == 422
    refused = client.post(
        "/scans/watches",
        data={"name": "x", "kind": "ftp", "path": "/", "every_minutes": "5"},
        headers=headers,
    )
    assert refused.status_code == 422
    assert "choose one of" in refused.text
    assert "Hugging Face cache" in client.get("/scans/watches").text


@pytest.fixture
def app(house):
    from alcaide.app.web import create_app

    return create_app(house)


def test_a_name_is_taken_once_whatever_the_kind(house, lead, models):
    hub(models, "berth/planner", "a1", {"model.pkl": GOOD})
    service.add_watch(house, lead, "hub", str(models / "hub"), kind="huggingface")
    with pytest.raises(Conflict):
        service.add_watch(house, lead, "hub", str(models))


def test_the_command_lists_adds_and_removes(models, tmp_path, capsys):
    (models / "hub").mkdir()
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "config.yaml").write_text(f"supply_chain:\n  folders: [{models}]\n")
    data = ["--data", str(tmp_path / "kept")]
    assert run(["scan", "watch", "add", "hub", str(models / "hub"), "--kind", "huggingface", *data]) == 0
    assert run(["scan", "watch", "add", "etc", "/etc", *data]) == 3
    capsys.readouterr()
    assert run(["scan", "watch", "list", "--format", "json", *data]) == 0
    [listed] = json.loads(capsys.readouterr().out)
    assert (listed["name"], listed["kind"], listed["path"]) == ("hub", "huggingface", str(models / "hub"))
    assert run(["scan", "watch", "remove", "hub", *data]) == 0
    assert run(["scan", "watch", "remove", "hub", *data]) == 3
    assert "nothing is watched as `hub`" in capsys.readouterr().err
    assert run(["scan", "watch", "list", *data]) == 0
    assert "nothing is watched" in capsys.readouterr().out
