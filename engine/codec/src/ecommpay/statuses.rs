//! What ecommpay's words for the state of a payment or an operation mean.

use sluice_model::PaymentStatus::{
    self, Authorized, Cancelled, Captured, Completed, Declined, Expired, Failed, Initiated, Processing,
    Refunded,
};

/// Statuses of payments and of operations; they share their words.
pub(super) const STATUSES: &[(&str, PaymentStatus)] = &[
    ("initial", Initiated),
    ("awaiting payment", Initiated),
    ("invoice sent", Initiated),
    ("awaiting customer", Initiated),
    ("processing", Processing),
    ("external processing", Processing),
    ("scheduled recurring processing", Processing),
    ("awaiting 3ds result", Processing),
    ("awaiting redirect result", Processing),
    ("awaiting customer action", Processing),
    ("awaiting clarification", Processing),
    ("awaiting clarify data", Processing),
    ("awaiting merchant auth", Processing),
    ("awaiting approval", Processing),
    ("awaiting confirmation", Processing),
    ("awaiting finalization", Processing),
    ("awaiting retry", Processing),
    ("awaiting capture", Authorized),
    ("partially paid", Captured),
    ("partially paid out", Captured),
    ("partially captured", Captured),
    ("awaiting clearing", Captured),
    ("awaiting partially clearing", Captured),
    ("clearing processing", Captured),
    ("success", Completed),
    ("decline", Declined),
    ("decline renewal", Declined),
    ("error", Failed),
    ("internal error", Failed),
    ("external error", Failed),
    ("canceled", Cancelled),
    ("cancelled", Cancelled),
    ("invoice cancelled", Cancelled),
    ("expired", Expired),
    // A part that went back is told by the refund's own event; `attributes.payment_status` keeps the word.
    ("refunded", Refunded),
    ("partially refunded", Refunded),
    ("reversed", Refunded),
    ("partially reversed", Refunded),
];

/// The status of that name.
pub(super) fn status(name: &str) -> Option<PaymentStatus> {
    STATUSES.iter().find(|(known, _)| *known == name).map(|(_, status)| *status)
}
