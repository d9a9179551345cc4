//! Every field in words: for the guide, and for suggestions.

use super::Side;

/// Every field, with words for the guide and for suggestions.
pub(super) const EVENT_FIELDS: &[(&str, &str)] = &[
    (
        "type",
        "what sort of event: payment, payout, topup, withdrawal, refund, chargeback, fx, customer, account, authentication",
    ),
    ("status", "the state of the payment: initiated … completed, failed, declined …"),
    ("amount", "how much, in HKD at the rate of the day"),
    ("currency", "the currency that the amount was in"),
    ("direction", "inbound, outbound or internal"),
    ("method", "fps, card, octopus, wire …"),
    ("channel", "mobile, web, branch, atm …"),
    ("purpose", "the stated purpose"),
    ("remittance", "free text to the creditor"),
    ("uetr", "the unique end-to-end reference"),
    ("end_to_end_id", "the debtor's reference"),
    ("original_payment_id", "the payment that a refund or chargeback undoes"),
    ("device.id", "the device"),
    ("device.ip", "its internet address"),
    ("device.network", "the address without its last part (IPv4 /24)"),
    ("device.country", "where it is"),
    ("card.token", "the card's token"),
    ("card.bin", "the card's issuer number"),
    ("card.country", "the card's country"),
    ("merchant.id", "the merchant"),
    ("merchant.mcc", "its category code"),
    ("merchant.domain", "its web domain"),
    ("now", "the moment of the event"),
    ("hour", "the hour in Hong Kong, 0 to 23"),
    ("weekday", "the day of the week in Hong Kong: monday …"),
    ("date", "the day in Hong Kong: 2026-11-20"),
    ("date_before", "the day before, in Hong Kong"),
    ("is_debtor", "whether the watched key pays"),
    ("is_creditor", "whether the watched key is paid"),
    ("countries", "every country that the event names; of an institution, else its BIC's"),
    ("intermediary_count", "how many institutions are between"),
    ("related_party_count", "how many other parties are named"),
    ("screening.score", "the best list match, from 0 to 1; 0 without one"),
    ("screening.matches", "how many parties met a list entry"),
    ("screening.list", "the list of the best match"),
];

/// The fields of a party, after the name of one of [`SIDES`] and a dot.
pub(super) const PARTY_FIELDS: &[(&str, &str)] = &[
    ("customer_id", "the customer number, where the party is a customer"),
    ("name", "the name in Latin letters, or as given"),
    ("name_local", "the name in its own script"),
    ("kind", "person, organisation, vessel or aircraft"),
    ("account", "the account, IBAN or wallet"),
    ("country", "ISO code: HK"),
    ("birth_date", "2000-01-31, or less exact"),
    ("age", "full years on the day of the event"),
    ("gender", "male or female"),
    ("id_number", "the identity document's number"),
    ("address", "the postal address"),
    ("agent_bic", "the BIC of the party's institution"),
    ("agent_lei", "its LEI"),
    ("agent_name", "its name"),
    ("agent_member_id", "its clearing number"),
    ("agent_country", "its country"),
    ("balance_after", "what the account held once the payment was made, in HKD"),
    ("proxy.type", "mobile, email, fps_id"),
    ("proxy.id", "the proxy itself"),
];

pub(super) const SIDES: &[(&str, Side)] = &[
    ("debtor", Side::Debtor),
    ("creditor", Side::Creditor),
    ("own", Side::Own),
    ("counterparty", Side::Counterparty),
    ("ultimate_debtor", Side::UltimateDebtor),
    ("ultimate_creditor", Side::UltimateCreditor),
    ("intermediary", Side::Intermediary),
];
