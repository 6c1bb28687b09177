"""Payments, banking, trading and shops."""

from __future__ import annotations

from alcaide.instruments.guard.detectors.secrets.formats.format import Format, near, prefixed, shaped

UUID = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"

FORMATS: tuple[Format, ...] = (
    prefixed("stripe-live-key", "Stripe", "live secret key", "sk_live_", "[A-Za-z0-9]{16,200}", score=0.98),
    prefixed(
        "stripe-restricted-key",
        "Stripe",
        "live restricted key",
        "rk_live_",
        "[A-Za-z0-9]{16,200}",
        score=0.98,
    ),
    prefixed(
        "stripe-production-key",
        "Stripe-style services",
        "production secret key",
        "sk_prod_",
        "[A-Za-z0-9]{16,200}",
    ),
    prefixed(
        "stripe-production-restricted-key",
        "Stripe-style services",
        "production restricted key",
        "rk_prod_",
        "[A-Za-z0-9]{16,200}",
    ),
    prefixed(
        "stripe-test-key",
        "Stripe",
        "test secret key",
        "sk_test_",
        "[A-Za-z0-9]{16,200}",
        score=0.93,
        level="warning",
    ),
    prefixed(
        "stripe-test-restricted-key",
        "Stripe",
        "test restricted key",
        "rk_test_",
        "[A-Za-z0-9]{16,200}",
        score=0.93,
        level="warning",
    ),
    prefixed(
        "stripe-organisation-key",
        "Stripe",
        "organisation key",
        "sk_org_",
        "(?:live_|test_)?[A-Za-z0-9]{16,200}",
    ),
    prefixed(
        "stripe-webhook-secret", "Stripe", "webhook signing secret", "whsec_", "[A-Za-z0-9+/]{24,64}={0,2}"
    ),
    prefixed(
        "stripe-publishable-key",
        "Stripe",
        "live publishable key",
        "pk_live_",
        "[A-Za-z0-9]{16,200}",
        score=0.6,
        level="note",
    ),
    prefixed(
        "stripe-test-publishable-key",
        "Stripe",
        "test publishable key",
        "pk_test_",
        "[A-Za-z0-9]{16,200}",
        score=0.55,
        level="note",
    ),
    prefixed(
        "square-access-token", "Square", "access token", "sq0atp-", "[A-Za-z0-9_-]{22,60}", kind="TOKEN"
    ),
    prefixed("square-secret", "Square", "application secret", "sq0csp-", "[A-Za-z0-9_-]{43}"),
    prefixed(
        "square-token", "Square", "access token", "EAAA", "[A-Za-z0-9_-]{34,60}", kind="TOKEN", score=0.85
    ),
    Format(
        "braintree-token",
        "Braintree",
        "access token",
        r"access_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32}",
        anchors=("access_token$",),
        kind="TOKEN",
    ),
    near("paypal-secret", "PayPal", "client secret", ("paypal",), "E[A-Za-z0-9_-]{63,79}", score=0.93),
    prefixed("shopify-access-token", "Shopify", "access token", "shpat_", "[0-9a-fA-F]{32}", kind="TOKEN"),
    prefixed("shopify-shared-secret", "Shopify", "shared secret", "shpss_", "[0-9a-fA-F]{32}"),
    prefixed(
        "shopify-custom-token", "Shopify", "custom app token", "shpca_", "[0-9a-fA-F]{32}", kind="TOKEN"
    ),
    prefixed(
        "shopify-private-token", "Shopify", "private app token", "shppa_", "[0-9a-fA-F]{32}", kind="TOKEN"
    ),
    prefixed("shopify-user-token", "Shopify", "user token", "shpua_", "[0-9a-fA-F]{32}", kind="TOKEN"),
    prefixed(
        "shopify-partner-token", "Shopify", "partner API token", "prtapi_", "[0-9a-f]{32}", kind="TOKEN"
    ),
    Format(
        "plaid-access-token",
        "Plaid",
        "access token",
        f"access-(?:sandbox|development|production)-{UUID}",
        anchors=("access-sandbox-", "access-development-", "access-production-"),
        kind="TOKEN",
    ),
    near("plaid-secret", "Plaid", "secret", ("plaid",), "[a-z0-9]{30}"),
    near("plaid-client-id", "Plaid", "client id", ("plaid",), "[a-z0-9]{24}", score=0.8, level="warning"),
    prefixed(
        "adyen-key", "Adyen", "API key", "AQE", "[a-z][A-Za-z0-9+/]{20,}[A-Za-z0-9+/=_-]{20,160}", score=0.8
    ),
    shaped("mollie-key", "Mollie", "API key", "(?:live|test)_[A-Za-z0-9]{30}", score=0.88),
    shaped(
        "gocardless-token", "GoCardless", "access token", "live_[A-Za-z0-9=_-]{40}", kind="TOKEN", score=0.88
    ),
    shaped("lob-key", "Lob", "API key", "(?:live|test)_(?:pub_[0-9a-f]{31}|[0-9a-f]{35})", score=0.9),
    prefixed(
        "razorpay-key", "Razorpay", "key id", "rzp_live_", "[A-Za-z0-9]{14}", score=0.9, level="warning"
    ),
    prefixed(
        "razorpay-test-key",
        "Razorpay",
        "test key id",
        "rzp_test_",
        "[A-Za-z0-9]{14}",
        score=0.8,
        level="warning",
    ),
    Format(
        "flutterwave-secret-key",
        "Flutterwave",
        "secret key",
        "FLWSECK(?:_TEST)?-[0-9a-zA-Z]{12,64}(?:-X)?",
        anchors=("flwseck",),
    ),
    Format(
        "flutterwave-public-key",
        "Flutterwave",
        "public key",
        "FLWPUBK(?:_TEST)?-[0-9a-zA-Z]{32}-X",
        anchors=("flwpubk",),
        score=0.6,
        level="note",
    ),
    prefixed(
        "paddle-key",
        "Paddle",
        "API key",
        "pdl_",
        "(?:live|sdbx)_apikey_[a-z0-9]{26}_[A-Za-z0-9]{22}_[A-Za-z0-9]{3}",
    ),
    prefixed(
        "duffel-token", "Duffel", "access token", "duffel_", "(?:live|test)_[A-Za-z0-9_=-]{43}", kind="TOKEN"
    ),
    prefixed("easypost-key", "EasyPost", "API key", "EZAK", "[A-Za-z0-9]{54}"),
    prefixed("easypost-test-key", "EasyPost", "test API key", "EZTK", "[A-Za-z0-9]{54}", level="warning"),
    prefixed("shippo-token", "Shippo", "API token", "shippo_", "(?:live|test)_[0-9a-fA-F]{40}", kind="TOKEN"),
    prefixed("brex-token", "Brex", "user token", "bxt_", "[A-Za-z0-9]{36,48}", kind="TOKEN"),
    prefixed(
        "mercury-token",
        "Mercury",
        "API token",
        "secret-token:mercury_",
        "[a-z]{4,12}_[a-z]{2,5}_[A-Za-z0-9]{20,60}_?[A-Za-z0-9]{0,60}",
        kind="TOKEN",
    ),
    prefixed("ramp-secret", "Ramp", "client secret", "ramp_sec_", "[A-Za-z0-9]{48}"),
    prefixed(
        "checkout-secret",
        "Checkout.com",
        "secret key",
        "sk_sbox_",
        "[a-z0-9]{26,32}[a-z0-9*#=$:.-]{0,4}",
        level="warning",
    ),
    Format(
        "freemius-secret-key",
        "Freemius",
        "secret key",
        "(?i:secret_?key)[\"']?\\s{0,3}(?:=>|=|:)\\s{0,3}[\"'](?P<secret>sk_[^\\s\"']{29})",
        anchors=("secret_key", "secretkey"),
        score=0.9,
    ),
    near("coinbase-token", "Coinbase", "access token", ("coinbase",), "[A-Za-z0-9_-]{64}", kind="TOKEN"),
    near("binance-key", "Binance", "API key", ("binance",), "[A-Za-z0-9]{64}"),
    near(
        "kraken-token", "Kraken", "API secret", ("kraken",), "(?:[A-Za-z0-9+/]{86}==|[A-Za-z0-9+/=_-]{80,90})"
    ),
    near("kucoin-key", "KuCoin", "API key", ("kucoin",), "[0-9a-f]{24}"),
    near("kucoin-secret", "KuCoin", "API secret", ("kucoin",), UUID),
    near("bittrex-key", "Bittrex", "API key", ("bittrex",), "[a-z0-9]{32}"),
    near("bitfinex-key", "Bitfinex", "API key", ("bitfinex",), "[A-Za-z0-9]{43}"),
    near("alpaca-key", "Alpaca", "API key", ("alpaca", "apca"), "(?:[PA]K[A-Z0-9]{18}|[A-Za-z0-9]{40})"),
    near("finnhub-key", "Finnhub", "API key", ("finnhub",), "[a-z0-9]{20}"),
    near(
        "alphavantage-key",
        "Alpha Vantage",
        "API key",
        ("alphavantage", "alpha_vantage", "alpha vantage"),
        "[A-Z0-9]{16}",
    ),
    near("polygon-key", "Polygon.io", "API key", ("polygon",), "[A-Za-z0-9_]{32}"),
    near("etherscan-key", "Etherscan", "API key", ("etherscan", "bscscan", "polygonscan"), "[A-Z0-9]{34}"),
    near("infura-key", "Infura", "project secret", ("infura",), "[0-9a-f]{32}"),
    near("alchemy-key", "Alchemy", "API key", ("alchemy",), "[A-Za-z0-9_-]{32}"),
    near("finicity-secret", "Finicity", "partner secret", ("finicity",), "[a-z0-9]{20}"),
    near("finicity-key", "Finicity", "app key", ("finicity",), "[0-9a-f]{32}"),
    near("freshbooks-token", "FreshBooks", "access token", ("freshbooks",), "[A-Za-z0-9]{64}", kind="TOKEN"),
    near("etsy-key", "Etsy", "API key", ("etsy",), "[a-z0-9]{24}"),
    near("squarespace-token", "Squarespace", "access token", ("squarespace",), UUID, kind="TOKEN"),
    near("quickbooks-secret", "Intuit", "client secret", ("quickbooks", "intuit"), "[A-Za-z0-9]{40}"),
)
