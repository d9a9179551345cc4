//! What ecommpay's types of operations are.

use sluice_model::EventType;

/// What an operation is to its payment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Operation {
    /// A step of the payment: its sum, its status.
    Step(EventType),
    /// A movement of its own: its sum, its status, and the payment that it belongs to.
    Own(EventType),
    /// No money moves.
    Aside,
}

/// The types of operations.
pub(super) const OPERATIONS: &[(&str, Operation)] = &[
    ("sale", Operation::Step(EventType::Payment)),
    ("auth", Operation::Step(EventType::Payment)),
    ("incremental", Operation::Step(EventType::Payment)),
    ("capture", Operation::Step(EventType::Payment)),
    ("capture settlement", Operation::Step(EventType::Payment)),
    ("cancel", Operation::Step(EventType::Payment)),
    ("recurring", Operation::Step(EventType::Payment)),
    ("invoice", Operation::Step(EventType::Payment)),
    ("customer action", Operation::Step(EventType::Payment)),
    ("payment confirmation", Operation::Step(EventType::Payment)),
    ("manual change", Operation::Step(EventType::Payment)),
    ("payout", Operation::Step(EventType::Payout)),
    ("refund", Operation::Own(EventType::Refund)),
    ("reversal", Operation::Own(EventType::Refund)),
    ("refund reverse", Operation::Own(EventType::Payment)),
    ("chargeback", Operation::Own(EventType::Chargeback)),
    ("account verification", Operation::Step(EventType::Authentication)),
    ("recurring update", Operation::Aside),
    ("recurring cancel", Operation::Aside),
    ("contract registration", Operation::Aside),
    ("create_cash_voucher", Operation::Aside),
    ("commission", Operation::Aside),
];

/// The operation of that type.
pub(super) fn operation(name: &str) -> Option<Operation> {
    OPERATIONS.iter().find(|(known, _)| *known == name).map(|(_, operation)| *operation)
}

/// The step that a payment without an operation is at, by its own type.
pub(super) fn of_payment(name: Option<&str>) -> Operation {
    match name {
        Some("payout") => Operation::Step(EventType::Payout),
        Some("account verification") => Operation::Step(EventType::Authentication),
        _ => Operation::Step(EventType::Payment),
    }
}
