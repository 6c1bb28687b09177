"""Facts by the request: weather, places, addresses, prices, pictures, news, sport, people, pages of others."""

from __future__ import annotations

from alcaide.instruments.guard.detectors.secrets.formats.format import Format, near, prefixed

UUID = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
HEX_32 = "[0-9a-f]{32}"

_FEEDS = (
    "ipstack", "currencylayer", "weatherstack", "aviationstack", "mediastack", "marketstack", "positionstack",
    "userstack", "languagelayer", "mailboxlayer", "numverify", "vatlayer", "screenshotlayer", "coinlayer",
    "scrapestack", "serpstack", "pdflayer", "countrylayer", "apilayer",
)  # fmt: skip
"""Services that one company runs under a name each, with keys of one make."""

FORMATS: tuple[Format, ...] = (
    # ── Where on the net, where on earth
    near("apilayer-key", "APILayer", "access key", _FEEDS, "[0-9A-Za-z]{32}"),
    near("ipinfo-token", "IPinfo", "token", ("ipinfo",), "[0-9a-f]{14}", kind="TOKEN"),
    near("ipgeolocation-key", "ipgeolocation", "API key", ("ipgeolocation",), HEX_32),
    near("ipdata-key", "ipdata", "API key", ("ipdata",), "[0-9a-f]{56}"),
    near("ipregistry-key", "ipregistry", "API key", ("ipregistry",), "[a-z0-9]{14,24}"),
    near("ipqualityscore-key", "IPQualityScore", "key", ("ipqualityscore", "ipqs"), "[A-Za-z0-9]{32}"),
    near("vpnapi-key", "VPNAPI.io", "API key", ("vpnapi",), HEX_32),
    near("whoisxml-key", "WhoisXML API", "API key", ("whoisxml", "ipify"), "at_[A-Za-z0-9]{29}"),
    near("abstract-key", "Abstract API", "API key", ("abstractapi", "abstract_api"), HEX_32),
    near("mapquest-key", "MapQuest", "key", ("mapquest",), "[A-Za-z0-9]{32}"),
    near("opencage-key", "OpenCage", "API key", ("opencage",), HEX_32),
    near("geoapify-key", "Geoapify", "API key", ("geoapify",), HEX_32),
    near("geocodio-key", "Geocodio", "API key", ("geocodio", "geocod.io"), "[0-9a-f]{39,40}"),
    near(
        "locationiq-token", "LocationIQ", "access token", ("locationiq",), "pk\\.[0-9a-f]{32}", kind="TOKEN"
    ),
    near("maptiler-key", "MapTiler", "API key", ("maptiler",), "[A-Za-z0-9]{20}"),
    near("thunderforest-key", "Thunderforest", "API key", ("thunderforest",), HEX_32),
    near("stadia-maps-key", "Stadia Maps", "API key", ("stadia_maps", "stadiamaps", "stadia-maps"), UUID),
    near("graphhopper-key", "GraphHopper", "API key", ("graphhopper",), UUID),
    prefixed("openrouteservice-key", "openrouteservice", "API key", "5b3ce3597851110001cf6248", HEX_32),
    near("bing-maps-key", "Bing Maps", "key", ("bing_maps", "bingmaps", "bing maps"), "A[A-Za-z0-9_-]{63}"),
    near("walk-score-key", "Walk Score", "API key", ("walkscore", "walk_score", "wsapikey"), HEX_32),
    near(
        "smarty-token", "Smarty", "auth token", ("smartystreets", "smarty_"), "[A-Za-z0-9]{20}", kind="TOKEN"
    ),
    prefixed("foursquare-key", "Foursquare", "API key", "fsq3", "[A-Za-z0-9+/=]{44}"),
    near("yelp-key", "Yelp", "API key", ("yelp",), "[A-Za-z0-9_-]{128}"),
    near("ticketmaster-key", "Ticketmaster", "consumer key", ("ticketmaster",), "[A-Za-z0-9]{32}"),
    near("eventbrite-token", "Eventbrite", "private token", ("eventbrite",), "[A-Z0-9]{20}", kind="TOKEN"),
    near("amadeus-secret", "Amadeus", "API secret", ("amadeus",), "[A-Za-z0-9]{16}"),
    near("flightaware-key", "FlightAware", "AeroAPI key", ("flightaware", "aeroapi"), "[A-Za-z0-9]{32}"),
    # ── Weather and air
    near("weatherapi-key", "WeatherAPI.com", "API key", ("weatherapi", "weather_api"), "[0-9a-f]{31,32}"),
    near("weatherbit-key", "Weatherbit", "API key", ("weatherbit",), HEX_32),
    near(
        "tomorrow-io-key",
        "Tomorrow.io",
        "API key",
        ("tomorrow_io", "tomorrow.io", "climacell"),
        "[A-Za-z0-9]{32}",
    ),
    near("accuweather-key", "AccuWeather", "API key", ("accuweather",), "[A-Za-z0-9%]{32,36}"),
    near(
        "visual-crossing-key", "Visual Crossing", "key", ("visualcrossing", "visual_crossing"), "[A-Z0-9]{25}"
    ),
    near("aqicn-token", "World Air Quality Index", "token", ("aqicn", "waqi"), "[0-9a-f]{40}", kind="TOKEN"),
    near("ambee-key", "Ambee", "API key", ("ambee",), "[0-9a-f]{64}"),
    near("airvisual-key", "IQAir", "API key", ("airvisual", "iqair"), UUID),
    # ── Money
    near("fixer-key", "Fixer", "access key", ("fixer_", "fixer.io", "fixerio"), "[0-9A-Za-z]{32}"),
    near(
        "open-exchange-rates-id",
        "Open Exchange Rates",
        "app id",
        ("openexchangerates", "open_exchange_rates"),
        HEX_32,
    ),
    Format(
        "exchangerate-api-key",
        "ExchangeRate-API",
        "API key",
        r"exchangerate-api\.com/v6/(?P<secret>[0-9a-f]{24})",
        anchors=("exchangerate-api.com/",),
    ),
    near("twelve-data-key", "Twelve Data", "API key", ("twelvedata", "twelve_data"), HEX_32),
    near("tiingo-token", "Tiingo", "API token", ("tiingo",), "[0-9a-f]{40}", kind="TOKEN"),
    near(
        "fmp-key",
        "Financial Modeling Prep",
        "API key",
        ("financialmodelingprep", "fmp_api"),
        "[A-Za-z0-9]{32}",
    ),
    near(
        "iex-cloud-token",
        "IEX Cloud",
        "secret token",
        ("iexcloud", "iex_"),
        "T?s[k]_[0-9a-f]{32}",
        kind="TOKEN",
    ),
    near(
        "nasdaq-data-link-key",
        "Nasdaq Data Link",
        "API key",
        ("quandl", "nasdaq_data_link"),
        "[A-Za-z0-9_-]{20}",
    ),
    near("oanda-token", "OANDA", "access token", ("oanda",), "[0-9a-f]{32}-[0-9a-f]{32}", kind="TOKEN"),
    near("tradier-token", "Tradier", "access token", ("tradier",), "[A-Za-z0-9]{28}", kind="TOKEN"),
    near("ynab-token", "YNAB", "personal access token", ("ynab",), "[A-Za-z0-9_-]{43}", kind="TOKEN"),
    near(
        "coinmarketcap-key",
        "CoinMarketCap",
        "API key",
        ("coinmarketcap", "x-cmc_pro", "x-cmc-pro", "cmc_pro"),
        UUID,
    ),
    near("coinapi-key", "CoinAPI", "API key", ("coinapi",), UUID),
    near("cryptocompare-key", "CryptoCompare", "API key", ("cryptocompare",), "[0-9a-f]{64}"),
    near("coingecko-key", "CoinGecko", "API key", ("coingecko", "x-cg-"), "CG-[A-Za-z0-9]{24}"),
    near("bscscan-key", "BscScan", "API key", ("bscscan",), "[A-Z0-9]{34}"),
    near("polygonscan-key", "PolygonScan", "API key", ("polygonscan",), "[A-Z0-9]{34}"),
    near("arbiscan-key", "Arbiscan", "API key", ("arbiscan",), "[A-Z0-9]{34}"),
    near("glassnode-key", "Glassnode", "API key", ("glassnode",), "[A-Za-z0-9]{27}"),
    near("nomics-key", "Nomics", "API key", ("nomics",), "[0-9a-f]{40}"),
    # ── Pictures, music, food, games, questions
    near("pixabay-key", "Pixabay", "API key", ("pixabay",), "[0-9]{7,9}-[0-9a-f]{25}"),
    near("imgbb-key", "ImgBB", "API key", ("imgbb",), HEX_32),
    near("imgur-secret", "Imgur", "client secret", ("imgur",), "[0-9a-f]{40}"),
    near("tinify-key", "Tinify", "API key", ("tinypng", "tinify"), "[A-Za-z0-9]{32}"),
    near("remove-bg-key", "remove.bg", "API key", ("remove_bg", "removebg", "remove.bg"), "[A-Za-z0-9]{24}"),
    near("rawg-key", "RAWG", "API key", ("rawg",), HEX_32),
    Format(
        "omdb-key",
        "OMDb",
        "API key",
        r"omdbapi\.com/\?(?:[a-z]{1,8}=[^&\s\"']{0,60}&){0,4}apikey=(?P<secret>[0-9a-f]{8})",
        anchors=("omdbapi.com/?",),
        score=0.85,
    ),
    near("musixmatch-key", "Musixmatch", "API key", ("musixmatch",), HEX_32),
    near(
        "genius-token", "Genius", "access token", ("genius_", "genius.com"), "[A-Za-z0-9_-]{64}", kind="TOKEN"
    ),
    near("discogs-token", "Discogs", "personal token", ("discogs",), "[A-Za-z0-9]{40}", kind="TOKEN"),
    near("spoonacular-key", "spoonacular", "API key", ("spoonacular",), HEX_32),
    near("edamam-key", "Edamam", "application key", ("edamam",), HEX_32),
    near("nutritionix-key", "Nutritionix", "application key", ("nutritionix",), HEX_32),
    near("wolfram-app-id", "Wolfram|Alpha", "app id", ("wolfram",), "[A-Z0-9]{6}-[A-Z0-9]{10}"),
    near("guardian-key", "The Guardian", "API key", ("guardianapis", "guardian_api", "guardian-api"), UUID),
    near("gnews-key", "GNews", "API key", ("gnews",), HEX_32),
    near("newsdata-key", "NewsData.io", "API key", ("newsdata",), "pub_[0-9a-f]{32,40}"),
    # ── Pages of others
    near("scrapingbee-key", "ScrapingBee", "API key", ("scrapingbee",), "[A-Z0-9]{80}"),
    near("scraperapi-key", "ScraperAPI", "API key", ("scraperapi", "scraper_api"), HEX_32),
    near("zenrows-key", "ZenRows", "API key", ("zenrows",), "[0-9a-f]{40}"),
    near("scrapingant-key", "ScrapingAnt", "API key", ("scrapingant",), HEX_32),
    near(
        "crawlbase-token",
        "Crawlbase",
        "token",
        ("crawlbase", "proxycrawl"),
        "[A-Za-z0-9_-]{22}",
        kind="TOKEN",
    ),
    near("browserless-token", "Browserless", "token", ("browserless",), UUID, kind="TOKEN"),
    near("apiflash-key", "ApiFlash", "access key", ("apiflash",), HEX_32),
    near("diffbot-token", "Diffbot", "token", ("diffbot",), HEX_32, kind="TOKEN"),
    near("zenserp-key", "Zenserp", "API key", ("zenserp",), UUID),
    near("two-captcha-key", "2Captcha", "API key", ("2captcha", "rucaptcha", "twocaptcha"), HEX_32),
    near(
        "anti-captcha-key",
        "Anti-Captcha",
        "client key",
        ("anti_captcha", "anticaptcha", "anti-captcha"),
        HEX_32,
    ),
    prefixed("capsolver-key", "CapSolver", "client key", "CAP-", "[0-9A-F]{32}"),
    # ── People and their addresses
    near(
        "hunter-key",
        "Hunter",
        "API key",
        ("hunter_api", "hunter.io", "hunterio", "hunter_io"),
        "[0-9a-f]{40}",
    ),
    near("apollo-key", "Apollo.io", "API key", ("apollo_api", "apollo.io", "apollo_io"), "[A-Za-z0-9_-]{22}"),
    near(
        "people-data-labs-key", "People Data Labs", "API key", ("pdl_api", "peopledatalabs"), "[0-9a-f]{64}"
    ),
    near("fullcontact-key", "FullContact", "API key", ("fullcontact",), "[A-Za-z0-9]{32}"),
    near("zerobounce-key", "ZeroBounce", "API key", ("zerobounce",), HEX_32),
    near("neverbounce-key", "NeverBounce", "API key", ("neverbounce",), "(?:private|secret)_[0-9a-f]{32}"),
    near("kickbox-key", "Kickbox", "API key", ("kickbox",), "(?:live|test)_[0-9a-f]{64}"),
)
