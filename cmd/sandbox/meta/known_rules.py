"""Every rule of Meta that is known here: whether it is imitated, partly, or not, and where it is told.

A source that says "field reports" is seen in practice and not documented; "not confirmed" is what it says.
"""

from typing import Literal

import msgspec

type State = Literal["imitated", "partly", "not"]


class KnownRule(msgspec.Struct, frozen=True):
    """One rule; `shown_by` names the refusals that carry it out, where it is about refusing."""

    topic: str
    rule: str
    state: State
    source: str
    shown_by: tuple[str, ...] = ()


def _read(text: str) -> tuple[KnownRule, ...]:
    """Lines are state, rule, refusals; a line with # begins a topic and names its source.

    >>> _read("# Ads: reference\\n+ A name is required : ad_required")[0].shown_by
    ('ad_required',)
    """
    found: list[KnownRule] = []
    topic = source = ""
    for line in text.strip().splitlines():
        if line.startswith("# "):
            topic, _, source = line[2:].partition(": ")
            continue
        rest, _, by = line[2:].partition(" : ")
        rule, _, own = rest.partition(" @ ")
        found.append(KnownRule(topic, rule, _STATES[line[0]], own or source, tuple(by.split())))
    return tuple(found)


_STATES: dict[str, State] = {"+": "imitated", "~": "partly", "-": "not"}

RULES = _read("""
# Versions: Graph API changelog
+ v26.0 and v25.0 are served; retired versions are refused with 2635
- Calls of retired versions are upgraded where the endpoint did not change
- Root reads with ids=, pretty, debug, date_format and If-None-Match are gone
~ v26: advantage_audience is mandatory for special-category ad sets (it is for all here) : advantage_unsaid
~ v26: placements explore, explore_home and messenger story are refused @ field reports : placement_gone
- v26: fields of delivery estimates are gone (estimates are not imitated at all)
- v25: no campaigns of Advantage+ Shopping and App
+ v24: is_adset_budget_sharing_enabled is required without a campaign budget : sharing_unsaid
+ v24: video_feeds placement is refused : placement_gone
- v24: placement_soft_opt_out is kept and not checked; lookalike_spec is strictly typed
- v24: a day may cost 75 % more than its budget (nothing is ever spent)
~ v23: Advantage+ audience is on unless it is set to 0 (here it must be said) : advantage_unsaid
+ v22: instagram_user_id instead of instagram_actor_id : instagram_actor
- v22: single creative features instead of standard_enhancements (kept and not checked)
+ v21: only objectives that begin with OUTCOME_ : objective
# Wire: Graph API, requests and responses
+ Token in header, query or body
~ Videos go to graph-video.facebook.com (here every call goes to one address)
+ appsecret_proof, forced where the account was made with a secret
+ Forms, multipart and JSON; nested values as JSON text
+ Creates answer with the id, and with fields when they are asked for
+ Updates and deletes answer success; lists have cursors, 25 by default
+ Error envelope with code, subcode, blame, trace id; almost always HTTP 400
~ x-fb-trace-id, x-fb-request-id and x-fb-rev come with every answer; their values mean nothing
- error_data sometimes comes as an object, and errors with status 200
# Objectives and goals: Marketing API reference, ad campaign group, ODAX
+ The goal fits objective and destination (100/2490408) : goal
+ The destination fits the objective (2446509) : destination
- Other codes of a wrong destination (1815715), and destinations that only the documentation's table has
+ promoted_object where the objective needs it, complete, and only one : promoted_object
~ Sales, engagement: no destination WEBSITE without a pixel (2490408) @ field reports : website_without_pixel
+ An incomplete promoted_object is refused (1885014) : promoted_object_incomplete
+ Two promoted objects are refused (1487929) : two_promoted_objects
~ promoted_object never changes; other fields of a running ad set stay changeable : immutable
- Pixel, event and goal of a published ad set (3260011) @ field reports
- Campaigns for apps on iOS 14 promote their app at the campaign @ field reports
~ Billing by goal: impressions, link clicks, video views @ Marketing API, billing events : billing
~ Attribution windows by goal (1885501) @ Marketing API, attribution : attribution
+ user_os fits the store (1487678) : system_of_store
- is_skadnetwork_attribution is said for apps (3955009) @ field reports
- Events that an objective does not allow @ field reports
# Campaigns: Marketing API reference, ad campaign group
+ Name and special_ad_categories are required : campaign_required
+ Special categories need their countries : categories category_country category_country_known
+ ACTIVE or PAUSED at creation : status_at_birth
+ AUCTION or RESERVED : buying_type
+ One budget at the campaign, not below the least (2446307) : campaign_two_budgets campaign_budget_minimum
+ Bid strategy only with a campaign budget (1885737) : strategy_known strategy_without_budget
~ Budget sharing contradicts a campaign budget (4834002); 4834005 and 3858418 are not : sharing_with_budget
~ spend_cap is at least what the account tells; 10,000 whatever the currency, unless ordered : spend_cap
- start_time and stop_time follow from the ad sets; the default strategy of a campaign's budget
+ validate_only makes nothing
+ 200 ad sets in a campaign : too_many_ad_sets
- 70 ad sets lock the bid strategy; accounts hold 5,000 campaigns @ not confirmed
# Ad sets: Marketing API reference, ad campaign
+ Name, campaign, goal, billing event and targeting are required : ad_set_required campaign_missing
+ Names are at most 400 characters long : name_length
+ The campaign is not deleted or archived : campaign_gone
+ A daily or a lifetime budget, at one level (1885621) : budget_unsaid budget_levels
+ Amounts of money are whole numbers @ SDK, types of parameters : whole_amounts
+ A lifetime budget needs an end; a daily one lasts more than 24 hours : lifetime_end short_day
~ Least budgets (1885272): one amount, five times as much for clicks; not doubled anywhere : budget_minimum
- 1885650, the raised minimum of running ad sets
+ A budget changes four times an hour (613/1487632)
+ Capped strategies need a bid (1815857), others take none (1885204) : bid_strategy bid_missing bid_unwanted
+ The least return is 100 to 10,000,000 (2490487) : roas
+ A bid amount alone means LOWEST_COST_WITH_BID_CAP; each ad set of a capped campaign needs one : bid_missing
+ TARGET_COST is gone : bid_strategy
+ end_time 0 is no end : end_past
+ Shared budgets need equal strategies (4834009) : sharing_strategies
+ COST_CAP needs standard pacing, billed by impressions : cost_cap
- Least bids
+ The end lies ahead (1487033) : end_past
~ dsa_beneficiary and dsa_payor for the EU (3858081); account defaults and 3858152 are not : disclosure
~ Regional categories: Singapore (3858550) alone : singapore
+ frequency_control_specs by goal, in impressions, 1 to 90; never changed (1815198) : frequency immutable
~ Schedules need a lifetime budget and day_parting; days and minutes are not checked : hours hours_pacing
- is_dynamic_creative wants one ad with an asset feed
# Targeting: Marketing API, targeting
+ A place or a custom audience is required : place
+ advantage_audience is said (1870227), as 0 or 1 (1870196) : advantage_unsaid advantage_type
+ With it age_min is 18 to 25 and age_max 65 (1870188, 1870189) : advantage_youngest advantage_oldest
+ Ages are 13 to 65; genders are 1 and 2 : ages genders
+ Thailand from 20, Indonesia from 21 for who is chosen by interests (1870165) : age_by_country
~ A place inside an included country is refused (1487756), where its country is told : overlap
~ Countries are told by codes of ISO 3166, in lists of countries and of places : country
+ location_types is refused (1870199) : location_types
+ Limits of cities, regions, zips, languages and the rest : too_many_places
- People are left out by excluded_custom_audiences, not below exclusions
- Interests that are deprecated (1870247 and others), cities that are not supported (1487479)
~ Housing, employment, finance: ages, genders, places, look-alikes : careful
- Political ads: authorised countries and creatives, not delivered in the EU
~ Placements that cannot stand alone (1815433) : placement_alone
~ Placements that show nothing; not every combination : placement_nowhere
- Fields that were read back must not be posted again
# Creatives: Marketing API reference, ad creative
+ Equal creatives are one
+ One story, with a page that the account has : story one_story page_required page_unknown creative_name
+ link_data needs a link; a hash or a picture, not both : link two_pictures image_unknown
+ Carousels have 2 to 10 cards : cards
+ Video ads need a thumbnail (1443226) and a video that is ready : video thumbnail
~ Buttons are known (1373054) and have their link (2061015) : button button_link
+ url_tags do not begin with a question mark : tags
- Texts that are too long, but for the creative's name
- Stories of photos, templates and texts are kept and not checked
- The click link of a video stands in its button alone
- asset_feed_spec, degrees_of_freedom_spec are kept and not checked
- Images of links are fetched (3858258); lead forms
# Ads: Marketing API reference, ad
+ Name, ad set, creative and status : ad_required ad_set_missing creative_missing
+ The ad set is not deleted or archived; deleted objects take only a name : ad_set_gone
~ The page is the one that is promoted (1885154) @ field reports : page_of_promoted_object
~ effective_status follows the objects above; nothing is reviewed
- Review, PENDING_REVIEW, DISAPPROVED, WITH_ISSUES
- Apps in development mode (1885183), posts that are gone (1885557), quotas of new ads (613/1487225)
- tracking_specs and conversion_domain are kept and not checked
- Options synchronous_ad_review and include_recommendations
# Media: Marketing API reference, ad image; Video API
+ Images by multipart or base64; the hash is of the content
+ JPEG, PNG, GIF, BMP and TIFF are images, WebP is none (1487411) @ field reports
- copy_from another account
~ Image limits: 30 MB; width and shape are not @ not confirmed
+ Videos at once, by address (this machine's only), or in chunks with offsets
+ A wrong offset names the right one (6001/1363037); 382 too small, 389 not fetched
~ Upload sessions that time out (1363030)
+ A video's title is shorter than 255 characters
- Videos sent at once are at most 1 GB and 20 minutes
~ processing, ready, error; encoding takes 8 s of the sandbox's clock
+ Thumbnails, one preferred; a placeholder while it is processed @ field reports
- Video limits of length and shape @ not confirmed
# Errors: Marketing API, error reference
+ Token errors 190 with 463 and 467, 104 for the proof
~ Permissions 10 and 200; capabilities (3) mean that the sandbox does not imitate the call
~ Transient errors, throttles, lost replies, garbage: on order only
~ A disabled account refuses writes with 368/1404163; which code Meta takes is not confirmed
- 100/1487390 (creative not made), 2601 (report not ready), 1870034 (terms)
# Limits: Marketing API, rate limiting
+ Score of 1 and 3 points decaying over 300 s, by tier (17)
+ Hourly budget of ads_management by active ads (80004)
~ Usage headers of account, app and business; total time and CPU are made up
- Budgets of insights and audiences, 100 writes a second, insights headers
# Batches: Graph API, batch requests
+ 50 calls at most; each is counted, answered and failed for itself
~ References to earlier answers: simple paths; a failed predecessor answers 424 (own choice)
- Files in a batch, async_batch_requests, copies
- Entries that are null because time was over
# Finding again: Marketing API, filtering
+ No idempotency key; names need not be unique
+ filtering by name, status and time; deleted objects are listed only to who asks for the status
+ effective_status names what the kind can have @ SDK, EffectiveStatus of each kind
- Lists that lag behind writes @ not confirmed
# Insights: Marketing API, insights
~ Level, fields, breakdowns, presets, ranges are checked; the answer is empty, nothing is delivered
+ At most 37 months back (3018)
- Asynchronous reports, attribution windows
# Accounts and tokens: Graph API reference, debug_token; Marketing API reference, ad account
+ debug_token: validity, ends, permissions; of the caller's own account
+ /me, its ad accounts, pages and permissions
~ Account states, disable reason, payment method, roles: as they were ordered
~ minimum_budgets: one currency, made from one amount
~ adgeolocation, adinterest and adlocale: a small table, its keys are the sandbox's own; other types 501
- Signing in, exchange of tokens, system users
- Previews of ads
# Around it: Conversions API; Webhooks
- Conversions API, webhooks, audiences, labels, rules, catalogs
""")
