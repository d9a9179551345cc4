//! The payment methods that are known by name: one table of what they are, and how sources spell them. Any other
//! method is taken as it is, and belongs to no group.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

use crate::PaymentEvent;

/// What sort of method it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "each is what it says")]
pub enum MethodGroup {
    Wallet,
    Card,
    BankTransfer,
    Trade,
}

impl MethodGroup {
    /// Every group.
    pub const ALL: [Self; 4] = [Self::Wallet, Self::Card, Self::BankTransfer, Self::Trade];

    /// The name, as rules read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wallet => "wallet",
            Self::Card => "card",
            Self::BankTransfer => "bank_transfer",
            Self::Trade => "trade",
        }
    }
}

/// A method that is known by name.
#[derive(Debug)]
pub struct Method {
    /// As events carry it: `wechat_pay_hk`.
    pub name: &'static str,
    /// What sort of method it is.
    pub group: MethodGroup,
    /// Other spellings, [folded](fold).
    spellings: &'static [&'static str],
}

const fn method(name: &'static str, group: MethodGroup, spellings: &'static [&'static str]) -> Method {
    Method { name, group, spellings }
}

/// Every method that is known by name. `card` is one whose network is not said.
pub static METHODS: [Method; 15] = {
    use MethodGroup::{BankTransfer, Card, Trade, Wallet};
    [
        method("octopus", Wallet, &["octopuscard", "octopuswallet", "octopushk", "八達通"]),
        method("fps", BankTransfer, &["fasterpaymentsystem", "fpshk", "hkfps", "hkqr", "fpsqr", "轉數快"]),
        method("alipay_hk", Wallet, &["hkalipay", "alipayhongkong", "支付寶hk", "支付寶香港"]),
        method(
            "wechat_pay_hk",
            Wallet,
            &["wechathk", "wechatpayhongkong", "wepayhk", "微信支付hk", "微信支付香港"],
        ),
        method("paypal", Wallet, &["paypalwallet", "paypalcheckout"]),
        method("visa", Card, &["visacard", "visacredit", "visadebit"]),
        method("mastercard", Card, &["mastercardcredit", "mastercarddebit", "萬事達"]),
        method("unionpay", Card, &["chinaunionpay", "unionpaycard", "unionpayinternational", "銀聯"]),
        method("apple_pay", Wallet, &["applewallet"]),
        method("google_pay", Wallet, &["gpay", "googlewallet"]),
        method("samsung_pay", Wallet, &["samsungwallet"]),
        method("wire", BankTransfer, &["tt", "telegraphictransfer", "wiretransfer", "swifttransfer", "電匯"]),
        method("letter_of_credit", Trade, &["lc", "lettersofcredit", "documentarycredit", "信用證"]),
        method(
            "hk_bank_transfer",
            BankTransfer,
            &["hongkongbanktransfer", "localbanktransferhk", "chats", "hkchats"],
        ),
        method("card", Card, &["creditcard", "debitcard", "bankcard", "paymentcard"]),
    ]
};

impl Method {
    /// The method that a text means, however it is spelt.
    pub fn of(text: &str) -> Option<&'static Self> {
        if let Some(known) = METHODS.iter().find(|method| method.name == text) {
            return Some(known);
        }
        let folded = fold(text);
        let means =
            |method: &&Self| fold(method.name) == folded || method.spellings.contains(&folded.as_str());
        METHODS.iter().find(means)
    }

    /// Whether it is the network of a card.
    fn is_network(&self) -> bool {
        self.group == MethodGroup::Card && self.name != "card"
    }
}

/// A method as events carry it; one that is not known by name as it is.
pub(crate) fn canonical(text: &str) -> Cow<'_, str> {
    match Method::of(text) {
        Some(known) if known.name != text => Cow::Owned(known.name.to_owned()),
        _ => Cow::Borrowed(text),
    }
}

/// The network of a card as events carry it; another than the known ones as it is.
pub(crate) fn canonical_network(text: &str) -> Cow<'_, str> {
    match Method::of(text) {
        Some(known) if known.is_network() && known.name != text => Cow::Owned(known.name.to_owned()),
        _ => Cow::Borrowed(text),
    }
}

/// Letters and digits alone, in small letters.
fn fold(text: &str) -> String {
    text.nfkc().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

impl PaymentEvent {
    fn known_method(&self) -> Option<&'static Method> {
        self.method.as_deref().and_then(Method::of)
    }

    /// What sort of method it is, where it is known by name.
    pub fn method_group(&self) -> Option<MethodGroup> {
        self.known_method().map(|method| method.group)
    }

    /// The wallet that pays, where the method is one.
    pub fn wallet(&self) -> Option<&'static str> {
        self.known_method().filter(|method| method.group == MethodGroup::Wallet).map(|method| method.name)
    }

    /// The card's network: the method itself, what the source says of the card, or what its number begins with. A
    /// wallet such as `apple_pay` may have one beneath.
    pub fn card_network(&self) -> Option<&str> {
        let itself = self.known_method().filter(|method| method.is_network()).map(|method| method.name);
        let card = self.card.as_ref();
        itself.or_else(|| card?.network.as_deref()).or_else(|| network_of(card?.bin.as_deref()?))
    }
}

/// The network whose numbers begin so (ISO/IEC 7812 issuer ranges).
fn network_of(bin: &str) -> Option<&'static str> {
    let first: u32 = bin.get(..4)?.parse().ok()?;
    Some(match first {
        4000..=4999 => "visa",
        5100..=5599 | 2221..=2720 => "mastercard",
        6200..=6299 | 8100..=8171 => "unionpay",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_method_is_one_however_it_is_spelt() {
        for (name, ways) in [
            ("wechat_pay_hk", &["WeChat Pay HK", "wechatpay_hk", "WECHATPAYHK", "微信支付HK"][..]),
            ("alipay_hk", &["AlipayHK", "Alipay HK", "支付寶 HK"]),
            ("visa", &["VISA", "Visa Card", "ＶＩＳＡ"]),
            ("wire", &["TT", "T/T", "Telegraphic Transfer", "wire"]),
            ("letter_of_credit", &["L/C", "LC", "Letter of Credit"]),
            ("hk_bank_transfer", &["HK bank transfer", "HKBankTransfer"]),
            ("fps", &["FPS", "Faster Payment System", "hk-qr", "轉數快"]),
        ] {
            for way in ways {
                assert_eq!(canonical(way), name, "{way}");
            }
        }
        for other in ["cash_pickup", "Transfer", "alipay", "HKD", "陳"] {
            assert_eq!(canonical(other), other, "what is not known stays as it is");
        }
    }

    #[test]
    fn no_two_methods_share_a_spelling() {
        let mut seen = BTreeSet::new();
        for method in &METHODS {
            for spelling in method.spellings.iter().map(|s| (*s).to_owned()).chain([fold(method.name)]) {
                assert_eq!(fold(&spelling), spelling, "spellings stand folded");
                assert!(seen.insert(spelling.clone()), "{spelling}");
            }
        }
    }

    #[test]
    fn an_event_says_its_group_wallet_and_network() {
        let event = |fields: &str| -> PaymentEvent {
            serde_json::from_str(&format!(
                r#"{{"event_id":"E","occurred_at":"2026-11-20T08:30:00Z",{fields}}}"#
            ))
            .unwrap()
        };
        let apple = event(r#""method":"Apple Pay","card":{"token":"T","network":"VISA"}"#);
        assert_eq!(apple.method_group(), Some(MethodGroup::Wallet));
        assert_eq!((apple.wallet(), apple.card_network()), (Some("apple_pay"), Some("visa")));
        assert_eq!(apple.as_given.0["method"], "Apple Pay");
        assert_eq!(apple.as_given.0["card.network"], "VISA");
        let card = event(r#""method":"card","card":{"bin":"510000"}"#);
        assert_eq!((card.wallet(), card.card_network()), (None, Some("mastercard")));
        let visa = event(r#""method":"Visa""#);
        assert_eq!((visa.method_group(), visa.card_network()), (Some(MethodGroup::Card), Some("visa")));
        let other = event(r#""method":"cash_pickup""#);
        assert_eq!((other.method_group(), other.wallet(), other.card_network()), (None, None, None));
    }
}
