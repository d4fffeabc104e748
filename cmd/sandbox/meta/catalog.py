"""The fields that Meta's objects have, by the kind of object; asking for another one is an error.

Source: Marketing API reference, the field tables of campaign, ad set, ad, ad creative, ad image,
ad video and ad account.
"""

from sandbox.meta.words import words

_COMMON = "id account_id name status created_time updated_time"

FIELDS: dict[str, frozenset[str]] = {
    "campaign": words(
        f"""{_COMMON} adlabels advantage_state_info bid_strategy boosted_object_id
        budget_rebalance_flag budget_remaining buying_type configured_status daily_budget
        effective_status frequency_control_specs has_secondary_skadnetwork_reporting
        is_adset_budget_sharing_enabled is_budget_schedule_enabled is_skadnetwork_attribution
        issues_info last_budget_toggling_time lifetime_budget objective pacing_type
        primary_attribution promoted_object recommendations smart_promotion_type source_campaign
        source_campaign_id special_ad_categories special_ad_category special_ad_category_country
        spend_cap start_time stop_time topline_id"""
    ),
    "ad_set": words(
        f"""{_COMMON} adlabels adset_schedule asset_feed_id attribution_spec bid_adjustments
        bid_amount bid_constraints bid_info bid_strategy billing_event budget_remaining campaign
        campaign_id campaign_active_time campaign_attribution configured_status creative_sequence
        daily_budget daily_min_spend_target daily_spend_cap destination_type dsa_beneficiary
        dsa_payor effective_status end_time frequency_control_specs instagram_user_id
        is_dynamic_creative is_incremental_attribution_enabled issues_info learning_stage_info
        lifetime_budget lifetime_imps lifetime_min_spend_target lifetime_spend_cap
        optimization_goal optimization_sub_event pacing_type placement_soft_opt_out
        promoted_object recommendations recurring_budget_semantics
        regional_regulated_categories regional_regulation_identities review_feedback
        rf_prediction_id source_adset source_adset_id special_ad_categories start_time targeting
        targeting_optimization_types use_new_app_click value_rule_set_id"""
    ),
    "ad": words(
        f"""{_COMMON} ad_active_time ad_review_feedback ad_schedule_end_time
        ad_schedule_start_time adlabels adset adset_id bid_amount bid_info bid_type campaign
        campaign_id configured_status conversion_domain conversion_specs creative demolink_hash
        display_sequence effective_status engagement_audience failed_delivery_checks issues_info
        last_updated_by_app_id preview_shareable_link priority recommendations source_ad
        source_ad_id targeting tracking_and_conversion_with_defaults tracking_specs"""
    ),
    "creative": words(
        """id account_id actor_id adlabels applink_treatment asset_feed_spec
        authorization_category body branded_content branded_content_sponsor_page_id
        call_to_action call_to_action_type category_media_source contextual_multi_ads
        degrees_of_freedom_spec destination_set_id destination_spec
        effective_authorization_category effective_instagram_media_id effective_object_story_id
        enable_direct_install facebook_branded_content image_crops image_hash image_url
        instagram_permalink_url instagram_user_id interactive_components_spec
        link_destination_display_url link_og_id link_url media_sourcing_spec
        messenger_sponsored_message name object_id object_store_url object_story_id
        object_story_spec object_type object_url page_welcome_message platform_customizations
        playable_asset_id portrait_customizations product_data product_set_id
        recommender_settings source_facebook_post_id source_instagram_media_id status
        template_url template_url_spec thumbnail_id thumbnail_url title url_tags
        use_page_actor_override video_id"""
    ),
    "video": words(
        """id account_id ad_breaks content_category content_tags created_time custom_labels
        description embed_html embeddable event format from icon is_crosspost_video
        is_crossposting_eligible is_episode is_instagram_eligible is_reference_only length
        live_status name permalink_url picture place post_id post_views privacy published
        scheduled_publish_time source spherical status thumbnails title universal_video_id
        updated_time views"""
    ),
    "image": words(
        f"""{_COMMON} creatives hash height is_associated_creatives_in_adgroups original_height
        original_width owner_business permalink_url url url_128 width"""
    ),
    "account": words(
        """id account_id account_status age amount_spent attribution_spec balance business
        business_country_code business_name capabilities created_time currency
        default_dsa_beneficiary default_dsa_payor disable_reason end_advertiser
        end_advertiser_name fb_entity funding_source funding_source_details
        has_migrated_permissions is_notifications_enabled is_personal is_prepay_account
        is_tax_id_required min_campaign_group_spend_cap min_daily_budget name
        offsite_pixels_tos_accepted owner partner spend_cap tax_id tax_id_status timezone_id
        timezone_name timezone_offset_hours_utc tos_accepted user_tasks"""
    ),
    "page": words("id name category access_token tasks instagram_business_account link"),
    "user": words("id name email permissions"),
}
"""Fields that exist and that an object does not have are left out of the answer, as Meta does."""
