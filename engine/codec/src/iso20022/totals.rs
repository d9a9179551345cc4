//! The control totals of a message: how many transactions it says it has, and what they come to.

use sluice_model::PaymentEvent;

use super::orders::BATCH;
use crate::xml::Element;

/// Where a message has its totals.
const GROUPS: [&str; 2] = ["GrpHdr", "CtrlData"];
/// The decimals to which sums are compared: as many as any currency has, and ISO 20022 allows for an amount.
const DECIMALS: usize = 5;

/// Which totals contradict the transactions that stand in the message. Its sum is compared where every amount is
/// known.
pub(super) fn contradictions(
    message: &Element,
    transactions: usize,
    sum: Option<i128>,
    wrong_batches: usize,
) -> Vec<String> {
    let mut found = Vec::new();
    for group in GROUPS.into_iter().filter_map(|name| message.child(name)) {
        if says_other_than(group, transactions) {
            found.push(format!(
                "{}/NbOfTxs is not {transactions}, as many as stand in the message",
                group.name
            ));
        }
        if let (Some(said), Some(sum)) = (group.text_at("CtrlSum"), sum)
            && decimal(said) != Some(sum)
        {
            found.push(format!("{}/CtrlSum is not the sum of the amounts in the message", group.name));
        }
    }
    if wrong_batches > 0 {
        found.push(format!("{BATCH}/NbOfTxs is not as many as stand there, in {wrong_batches} of them"));
    }
    found
}

/// A sum of amounts, with [`DECIMALS`] decimals, and one more; none once one is not known.
pub(super) fn add(sum: Option<i128>, event: Option<&PaymentEvent>) -> Option<i128> {
    sum?.checked_add(scaled(event?)?)
}

/// Whether a message or a batch says that it has another number of transactions.
pub(super) fn says_other_than(group: &Element, transactions: usize) -> bool {
    group.text_at("NbOfTxs").is_some_and(|said| said.parse() != Ok(transactions))
}

/// An event's amount with [`DECIMALS`] decimals.
fn scaled(event: &PaymentEvent) -> Option<i128> {
    let amount = event.amount?;
    let missing = DECIMALS.checked_sub(usize::from(amount.currency.exponent()))?;
    i128::from(amount.minor).checked_mul(10_i128.checked_pow(u32::try_from(missing).ok()?)?)
}

/// A decimal number with [`DECIMALS`] decimals.
fn decimal(text: &str) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = fraction.trim_end_matches('0');
    let padding = DECIMALS.checked_sub(fraction.len())?;
    format!("{whole}{fraction}{}", "0".repeat(padding)).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_compared_whatever_decimals_it_has() {
        let read = ["5", "5.0100", "0.00001", "12.000000000000"].map(|text| decimal(text).unwrap());
        assert_eq!(read, [500_000, 501_000, 1, 1_200_000]);
        for text in ["", ".", "x", "1.000001", "1,5"] {
            assert_eq!(decimal(text).filter(|sum| *sum != 0), None, "{text}");
        }
    }
}
