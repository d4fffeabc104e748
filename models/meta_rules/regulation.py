"""What countries ask to be told: for whom an ad is shown, who pays, who was verified."""

from models.meta_rules.countries import EUROPEAN_UNION, countries
from models.meta_rules.table import Found, Scope, rule

DSA = "Marketing API, Digital Services Act: beneficiary and payor"
REGIONAL = "Marketing API reference, ad set: regional_regulated_categories"

UNIVERSAL = {"SG": "SINGAPORE_UNIVERSAL"}
"""Countries where every ad is regulated."""
IDENTITIES = {"THAILAND_UNIVERSAL": "universal", "BRAZIL_REGULATION": "universal"}
"""How a category's identities are called, where not like the category itself."""


@rule("ad_set", "disclosure_missing", DSA, 3858081)
def disclosure(scope: Scope) -> Found:
    """In the European Union people are told for whom and by whom an ad is paid."""
    missing = [name for name in ("dsa_beneficiary", "dsa_payor") if not scope.ad_set.has(name)]
    if missing and scope.targeting.once(countries) & EUROPEAN_UNION:
        for name in missing:
            yield scope.ad_set.at(name), "It is required where ads are shown in the EU."


@rule("ad_set", "regional_category_missing", REGIONAL, 3858550)
def regional_category(scope: Scope) -> Found:
    """Some countries regulate every ad."""
    declared = scope.ad_set.values("regional_regulated_categories")
    reached = scope.targeting.once(countries)
    for country, category in UNIVERSAL.items():
        if country in reached and category not in declared:
            at = scope.ad_set.at("regional_regulated_categories")
            yield at, f"Ads in {country} need {category}."


@rule(
    "ad_set",
    "regional_identity_missing",
    REGIONAL,
    3858550,
    when=("ad_set.regional_regulated_categories",),
)
def regional_identity(scope: Scope) -> Found:
    """Who benefits and who pays is verified for each regulation."""
    identities = scope.ad_set.below("regional_regulation_identities")
    for category in scope.ad_set.values("regional_regulated_categories"):
        prefix = IDENTITIES.get(category, category.lower())
        for name in (f"{prefix}_beneficiary", f"{prefix}_payer"):
            if not identities.has(name):
                yield identities.at(name), f"It is required with {category}."


RULES = (disclosure, regional_category, regional_identity)
