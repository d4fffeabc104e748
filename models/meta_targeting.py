"""Who may see ads on Meta, and where."""

from typing import Annotated, Literal

from msgspec import Meta

from models.meta_words import Age, Country, Label, MetaId, PublisherPlatform, Strict, Word


def _most(items: int) -> Meta:
    """Told in the schema; the rules refuse more, in words of their own."""
    return Meta(extra_json_schema={"maxItems": items})


type Positions = Annotated[list[Word], Meta(min_length=1, max_length=20)]


class GeoPlace(Strict, frozen=True, kw_only=True):
    """A place by Meta's key."""

    key: Annotated[
        str,
        Meta(min_length=1, max_length=40, description="Meta's key of the place; search gives it."),
    ]
    name: Annotated[Label | None, Meta(description="For people; Meta goes by the key.")] = None
    country: Annotated[Country | None, Meta(description="The country it lies in.")] = None
    radius: Annotated[
        Annotated[float, Meta(gt=0, le=80)] | None,
        Meta(description="How far around it; cities only."),
    ] = None
    distance_unit: Annotated[
        Literal["mile", "kilometer"] | None, Meta(description="The unit of radius; else miles.")
    ] = None


class CustomLocation(Strict, frozen=True, kw_only=True):
    """A pin, and how far around it."""

    latitude: Annotated[float, Meta(ge=-90, le=90, description="Degrees north.")]
    longitude: Annotated[float, Meta(ge=-180, le=180, description="Degrees east.")]
    radius: Annotated[
        Annotated[float, Meta(gt=0, le=80)] | None, Meta(description="How far around the pin.")
    ] = None
    distance_unit: Annotated[
        Literal["mile", "kilometer"] | None, Meta(description="The unit of radius; else miles.")
    ] = None
    name: Annotated[Label | None, Meta(description="For people.")] = None
    country: Annotated[Country | None, Meta(description="The country it lies in.")] = None


class GeoLocations(Strict, frozen=True, kw_only=True):
    """Places. A place inside a country that is named as a whole is refused."""

    countries: Annotated[
        list[Country] | None, Meta(description="Whole countries, by ISO 3166 codes.")
    ] = None
    country_groups: Annotated[
        list[Word] | None, Meta(description="Groups of countries, for example worldwide.")
    ] = None
    regions: Annotated[
        Annotated[list[GeoPlace], _most(200)] | None,
        Meta(description="States or provinces; at most 200."),
    ] = None
    cities: Annotated[
        Annotated[list[GeoPlace], _most(250)] | None, Meta(description="Cities; at most 250.")
    ] = None
    zips: Annotated[
        Annotated[list[GeoPlace], _most(50_000)] | None,
        Meta(description="Postal codes; at most 50,000."),
    ] = None
    geo_markets: Annotated[
        Annotated[list[GeoPlace], _most(210)] | None, Meta(description="Market areas; at most 210.")
    ] = None
    custom_locations: Annotated[
        Annotated[list[CustomLocation], _most(200)] | None,
        Meta(description="Pins with a radius; at most 200."),
    ] = None


class Reference(Strict, frozen=True, kw_only=True):
    """Something of Meta's by its id."""

    id: Annotated[MetaId, Meta(description="Meta's id.")]
    name: Annotated[Label | None, Meta(description="For people; Meta goes by the id.")] = None


class Interests(Strict, frozen=True, kw_only=True):
    """People of whom one of these is true."""

    interests: Annotated[list[Reference] | None, Meta(description="Interests.")] = None
    behaviors: Annotated[list[Reference] | None, Meta(description="Behaviours.")] = None
    life_events: Annotated[list[Reference] | None, Meta(description="Life events.")] = None
    work_positions: Annotated[list[Reference] | None, Meta(description="Positions at work.")] = None


class Targeting(Strict, frozen=True, kw_only=True):
    """Who may see the ads, and where."""

    geo_locations: Annotated[
        GeoLocations | None,
        Meta(description="Where people are; required without custom audiences."),
    ] = None
    excluded_geo_locations: Annotated[
        GeoLocations | None, Meta(description="Where people are not.")
    ] = None
    age_min: Annotated[Age | None, Meta(description="Youngest; 18 when left out.")] = None
    age_max: Annotated[
        Age | None, Meta(description="Oldest; 65, the default, is everybody older too.")
    ] = None
    genders: Annotated[
        Annotated[list[Literal[0, 1, 2]], Meta(min_length=1, max_length=2)] | None,
        Meta(description="1 men, 2 women; 0 alone, like leaving it out, is everybody."),
    ] = None
    locales: Annotated[
        Annotated[list[int], _most(90)] | None,
        Meta(description="Languages by Meta's numbers; at most 90."),
    ] = None
    interests: Annotated[list[Reference] | None, Meta(description="Interests.")] = None
    flexible_spec: Annotated[
        list[Interests] | None, Meta(description="People who are in every one of these groups.")
    ] = None
    exclusions: Annotated[Interests | None, Meta(description="People to leave out.")] = None
    custom_audiences: Annotated[list[Reference] | None, Meta(description="Audiences of yours.")] = (
        None
    )
    excluded_custom_audiences: Annotated[
        list[Reference] | None, Meta(description="Audiences of yours to leave out.")
    ] = None
    publisher_platforms: Annotated[
        Annotated[list[PublisherPlatform], Meta(min_length=1)] | None,
        Meta(description="Where ads appear; everywhere when left out."),
    ] = None
    facebook_positions: Annotated[
        Positions | None, Meta(description="Places on Facebook, for example feed, story.")
    ] = None
    instagram_positions: Annotated[
        Positions | None, Meta(description="Places on Instagram, for example stream, story, reels.")
    ] = None
    threads_positions: Annotated[
        Positions | None, Meta(description="Places on Threads, for example threads_stream.")
    ] = None
    messenger_positions: Annotated[Positions | None, Meta(description="Places in Messenger.")] = (
        None
    )
    audience_network_positions: Annotated[
        Positions | None, Meta(description="Places in the Audience Network, for example classic.")
    ] = None
    device_platforms: Annotated[
        Annotated[list[Literal["mobile", "desktop"]], Meta(min_length=1)] | None,
        Meta(description="Kinds of device; all when left out."),
    ] = None
    user_os: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=60)]] | None,
        Meta(
            description="Operating systems: iOS or Android, or with versions as Meta writes them."
        ),
    ] = None
    advantage_audience: Annotated[
        bool | None,
        Meta(
            description="Whether Meta may look beyond this targeting (Advantage+ audience). "
            "Meta wants it said either way, so it is required."
        ),
    ] = None
