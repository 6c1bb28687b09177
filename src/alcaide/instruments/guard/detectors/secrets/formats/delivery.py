"""What software is built, tested and served with, beside the large clouds: hosts, names, runners, registries."""

from __future__ import annotations

from alcaide.instruments.guard.detectors.secrets.formats.format import Format, near, prefixed, shaped

UUID = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
HEX_32 = "[0-9a-f]{32}"

FORMATS: tuple[Format, ...] = (
    # ── Hosts, storage, names
    near(
        "backblaze-key",
        "Backblaze",
        "application key",
        ("backblaze", "b2_app", "b2_key"),
        "K00[0-9][A-Za-z0-9+/]{27}",
    ),
    near("wasabi-secret", "Wasabi", "secret key", ("wasabi",), "[A-Za-z0-9+/]{40}"),
    near(
        "bunny-key",
        "bunny.net",
        "access key",
        ("bunny",),
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}-[0-9a-f]{4}-[0-9a-f]{4}",
    ),
    near("porkbun-key", "Porkbun", "API key", ("porkbun",), "[ps]k1_[0-9a-f]{64}"),
    near("namecheap-key", "Namecheap", "API key", ("namecheap",), HEX_32),
    Format(
        "godaddy-key",
        "GoDaddy",
        "API key and secret",
        "sso-key (?P<secret>[A-Za-z0-9_]{10,40}:[A-Za-z0-9]{18,24})",
        anchors=("sso-key ",),
    ),
    prefixed("dnsimple-token", "DNSimple", "API token", "dnsimple_", "[au]_[A-Za-z0-9]{28,36}", kind="TOKEN"),
    near("duckdns-token", "Duck DNS", "token", ("duckdns", "duck_dns"), UUID, kind="TOKEN"),
    near("gandi-key", "Gandi", "API key", ("gandi_api", "gandi_key", "gandi.net"), "[A-Za-z0-9]{24}"),
    near("ns1-key", "NS1", "API key", ("nsone", "ns1_api"), "[A-Za-z0-9]{20}"),
    near("civo-token", "Civo", "API token", ("civo",), "[A-Za-z0-9]{50}", kind="TOKEN"),
    near("exoscale-secret", "Exoscale", "API secret", ("exoscale",), "[A-Za-z0-9_-]{43}"),
    near(
        "equinix-token",
        "Equinix Metal",
        "auth token",
        ("equinix", "packet_auth"),
        "[A-Za-z0-9]{32}",
        kind="TOKEN",
    ),
    near("huawei-cloud-secret", "Huawei Cloud", "secret key", ("huawei",), "[A-Za-z0-9]{40}"),
    near(
        "snowflake-token",
        "Snowflake",
        "programmatic access token",
        ("snowflake",),
        "[A-Za-z0-9_-]{60,300}",
        kind="TOKEN",
    ),
    near("imagekit-key", "ImageKit", "private key", ("imagekit",), "private_[A-Za-z0-9+/]{27}=?"),
    near("uploadcare-key", "Uploadcare", "secret key", ("uploadcare",), "[0-9a-f]{20}"),
    Format(
        "azure-function-address",
        "Microsoft Azure",
        "function key",
        r"\.azurewebsites\.net/api/[A-Za-z0-9_/.-]{1,80}\?(?:[a-z]{1,12}=[^&\s\"']{0,60}&){0,3}code="
        r"(?P<secret>[A-Za-z0-9_/-]{40,60}(?:=|%3D){0,2})",
        anchors=(".azurewebsites.net/api/",),
    ),
    # ── Clusters
    shaped(
        "kubeadm-token", "kubeadm", "bootstrap token", r"[a-z0-9]{6}\.[a-z0-9]{16}", kind="TOKEN", score=0.6
    ),
    shaped(
        "k3s-token",
        "K3s",
        "node token",
        "K10[0-9a-f]{64}::[a-z0-9-]{1,40}:[0-9a-f]{16,64}",
        kind="TOKEN",
        score=0.97,
    ),
    near("consul-token", "HashiCorp Consul", "ACL token", ("consul",), UUID, kind="TOKEN"),
    near("nomad-token", "HashiCorp Nomad", "ACL token", ("nomad_",), UUID, kind="TOKEN"),
    shaped("portainer-token", "Portainer", "access token", "ptr_[A-Za-z0-9+/]{43}=?", kind="TOKEN"),
    # ── Runners and registries
    near("appveyor-token", "AppVeyor", "API token", ("appveyor",), r"(?:v2\.)?[a-z0-9]{20}", kind="TOKEN"),
    near("semaphore-token", "Semaphore", "API token", ("semaphore",), "[A-Za-z0-9_-]{20}", kind="TOKEN"),
    near("codemagic-token", "Codemagic", "API token", ("codemagic",), "[A-Za-z0-9_-]{43}", kind="TOKEN"),
    near("cloudsmith-key", "Cloudsmith", "API key", ("cloudsmith",), "[0-9a-f]{40}"),
    near("packagecloud-token", "packagecloud", "API token", ("packagecloud",), "[0-9a-f]{48}", kind="TOKEN"),
    near("gemfury-token", "Gemfury", "API token", ("gemfury", "fury.io"), "[A-Za-z0-9]{20}", kind="TOKEN"),
    near("spacelift-secret", "Spacelift", "API key secret", ("spacelift",), "[0-9a-f]{64}"),
    near("env0-secret", "env0", "API secret", ("env0",), "[A-Za-z0-9_-]{32}"),
    near(
        "vagrant-cloud-token",
        "Vagrant Cloud",
        "token",
        ("vagrant",),
        r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9]{67}",
        kind="TOKEN",
    ),
    # ── Tests and code quality
    near("browserstack-key", "BrowserStack", "access key", ("browserstack",), "[A-Za-z0-9]{20}"),
    near("sauce-labs-key", "Sauce Labs", "access key", ("saucelabs", "sauce_access", "sauce_labs"), UUID),
    near(
        "lambdatest-key", "LambdaTest", "access key", ("lambdatest", "lt_access"), "(?:LT_)?[A-Za-z0-9]{50}"
    ),
    near(
        "percy-token", "Percy", "project token", ("percy",), "(?:web_|app_|auto_)?[0-9a-f]{64}", kind="TOKEN"
    ),
    prefixed("chromatic-token", "Chromatic", "project token", "chpt_", "[0-9a-f]{12,16}", kind="TOKEN"),
    near("cypress-record-key", "Cypress", "record key", ("cypress",), UUID),
    near("applitools-key", "Applitools", "API key", ("applitools",), "[A-Za-z0-9]{40,60}"),
    near("blazemeter-secret", "BlazeMeter", "API key secret", ("blazemeter",), "[0-9a-f]{80}"),
    near("codacy-token", "Codacy", "project token", ("codacy",), HEX_32, kind="TOKEN"),
    near("deepsource-dsn", "DeepSource", "DSN", ("deepsource",), HEX_32),
    Format(
        "deepsource-dsn-url",
        "DeepSource",
        "DSN",
        "https://(?P<secret>[0-9a-f]{32})@(?:app\\.)?deepsource\\.",
        anchors=("deepsource.",),
        before=60,
    ),
    near("semgrep-token", "Semgrep", "app token", ("semgrep",), "[0-9a-f]{64}", kind="TOKEN"),
    near("fossa-key", "FOSSA", "API key", ("fossa",), HEX_32),
    near("qase-token", "Qase", "API token", ("qase_", "qase.io"), "[0-9a-f]{40,64}", kind="TOKEN"),
    # ── Switches
    near(
        "optimizely-token",
        "Optimizely",
        "personal token",
        ("optimizely",),
        "2:[A-Za-z0-9_-]{43}",
        kind="TOKEN",
    ),
    prefixed(
        "configcat-key", "ConfigCat", "SDK key", "configcat-sdk-1/", "[A-Za-z0-9_-]{22}/[A-Za-z0-9_-]{22}"
    ),
    shaped(
        "unleash-token",
        "Unleash",
        "API token",
        r"[*a-z0-9-]{1,30}:[a-z0-9-]{1,30}\.[0-9a-f]{56}",
        kind="TOKEN",
        score=0.93,
    ),
    near("split-key", "Split", "SDK key", ("split_api", "split_sdk", "split.io"), "[a-z0-9]{40,60}"),
)
