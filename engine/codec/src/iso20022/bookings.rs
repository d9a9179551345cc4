//! What was booked on an account of the institution's customer: camt.052 (reports), camt.053 (statements) and
//! camt.054 (notifications). Each transaction of an entry is an event; an entry without details is one event itself.
//!
//! The side whose account is the notified one is the customer's, and the other keeps its own. Whom the money goes to
//! is the creditor of the event: in a return, as many banks write it, the parties are still those of the original.

use sluice_model::{Direction, EventType, PaymentEvent, PaymentStatus, identifier};

use super::{
    Header, References, Transactions, code,
    everyone::{around, collect},
    keep,
    party::{Side, Sides},
    remittance,
    transfers::WIRE,
};
use crate::{
    DecodeError,
    xml::{Element, Spot},
};

/// An entry of a report.
pub(super) const ENTRY: &str = "Ntry";
/// What holds the transactions of an entry, and one of them.
pub(super) const DETAILS: &str = "NtryDtls";
pub(super) const DETAIL: &str = "TxDtls";
/// The reports of one account, by message.
pub(super) const REPORTS: [&str; 3] = ["Rpt", "Stmt", "Ntfctn"];
/// The sub-families of transactions that are money coming back: a return, and a cancellation granted.
const RETURNS: [&str; 2] = ["RRTN", "RPCR"];

pub(super) fn read(message: &Element, out: &mut Transactions<'_>) {
    let around_reports: Vec<&Element> = message.children.iter().collect();
    for (_, report) in message.all_apart().filter(|(name, _)| REPORTS.contains(name)) {
        let Some(report) = out.open(report) else { continue };
        let around = around(&around_reports, &report, ENTRY);
        for entry in report.apart(ENTRY) {
            if let Err(error) = read_entry(&report, entry, &around, out) {
                out.reject(entry, error);
            }
        }
    }
}

/// The transactions of an entry; an error where nothing of it was read.
fn read_entry(
    report: &Element,
    entry: Spot<'_>,
    around_entries: &[&Element],
    out: &mut Transactions<'_>,
) -> Result<(), DecodeError> {
    let Some(opened) = out.open(entry) else { return Ok(()) };
    let document = out.document;
    let mut count = 0;
    let mut empty = Vec::new();
    for details in opened.apart(DETAILS) {
        let details = document.open(details)?;
        match details.apart(DETAIL).count() {
            0 => empty.push(details),
            of_it => count += of_it,
        }
    }
    // What the details of an entry say is of it, or of each of its transactions where it has some.
    let beside = empty.iter().flat_map(|details| &details.children);
    if count == 0 {
        let around: Vec<&Element> = around_entries.iter().copied().chain(beside.clone()).collect();
        out.add(Spot::Open(&opened), |header, entry, place| {
            Booking { report, entry, detail: entry, around: &around, is_alone: true }.read(header, place)
        });
    }
    let around_details: Vec<&Element> =
        around(around_entries, &opened, DETAILS).into_iter().chain(beside).collect();
    // Opened again: those of a large entry would not fit in memory together.
    for details in opened.apart(DETAILS) {
        let details = document.open(details)?;
        let around = around(&around_details, &details, DETAIL);
        for detail in details.apart(DETAIL) {
            out.add(detail, |header, detail, place| {
                let is_alone = count == 1;
                Booking { report, entry: &opened, detail, around: &around, is_alone }.read(header, place)
            });
        }
    }
    Ok(())
}

/// A transaction that was booked.
struct Booking<'a> {
    /// The report of the account.
    report: &'a Element,
    /// The entry.
    entry: &'a Element,
    /// The transaction, or the entry itself.
    detail: &'a Element,
    /// What stands around it in the message.
    around: &'a [&'a Element],
    /// Whether it is the entry's only one.
    is_alone: bool,
}

impl Booking<'_> {
    fn read(&self, header: &Header<'_>, place: usize) -> Result<PaymentEvent, DecodeError> {
        let Self { report, entry, detail, .. } = self;
        let references = References::own(detail.child("Refs"), place);
        let date = |name| ["DtTm", "Dt"].into_iter().find_map(|part| entry.at(name)?.text_at(part));
        let booked_at = date("BookgDt");
        let mut event = header.event(&references, booked_at)?;
        let booked = entry.text_at("Sts/Cd").or_else(|| entry.text_at("Sts")) == Some("BOOK");
        event.status = if booked { PaymentStatus::Completed } else { PaymentStatus::Processing };
        event.method = Some(WIRE.to_owned());
        event.payment_id = Some(references.payment_id(header.message_id));
        if self.is_return() {
            event.event_type = EventType::Refund;
            event.payment_id = Some(format!("{}:{}", header.message_id, references.reference()));
            event.original_payment_id = references.original_id(detail.text_at("Refs/MsgId"));
        }
        event.amount = Some(header.money(&references, self.amount(header, &references)?)?);
        let direction = match detail.text_at("CdtDbtInd").or_else(|| entry.text_at("CdtDbtInd")) {
            Some("CRDT") => Direction::Inbound,
            Some("DBIT") => Direction::Outbound,
            _ => return Err(header.refuse(&references, "CdtDbtInd is neither CRDT nor DBIT")),
        };
        event.direction = Some(direction);
        let sides = self.parties(direction, &mut event);
        event.purpose = code(detail.child("Purp")).map(str::to_owned);
        event.remittance = remittance(detail);
        let kept = &mut event.attributes;
        keep(kept, "booking_date", booked_at);
        keep(kept, "value_date", date("ValDt"));
        keep(kept, "entry_reference", entry.text_at("NtryRef"));
        let servicer = ["Refs/AcctSvcrRef", "AcctSvcrRef"].into_iter().find_map(|path| detail.text_at(path));
        keep(kept, "servicer_reference", servicer);
        keep(kept, "return_reason", code(detail.at("RtrInf/Rsn")));
        keep(kept, "report_id", report.text_at("Id"));
        collect(&mut event, header, &sides, self.around, detail);
        Ok(event)
    }

    /// Whether money came back, in each bank's manner of saying so.
    fn is_return(&self) -> bool {
        let codes = [self.detail, self.entry].into_iter();
        let mut codes = codes.filter_map(|element| element.text_at("BkTxCd/Domn/Fmly/SubFmlyCd"));
        self.entry.text_at("RvslInd").is_some_and(|said| ["true", "1"].contains(&said))
            || self.detail.child("RtrInf").is_some()
            || codes.any(|code| RETURNS.contains(&code))
    }

    /// A single transaction has its entry's amount; one of several must give its own.
    fn amount(&self, header: &Header<'_>, references: &References<'_>) -> Result<&Element, DecodeError> {
        let own = ["Amt", "AmtDtls/TxAmt/Amt"].into_iter().find_map(|path| self.detail.at(path));
        let amount = own.or_else(|| self.entry.child("Amt").filter(|_| self.is_alone));
        amount.ok_or_else(|| header.refuse(references, "Amt is missing"))
    }

    /// The customer, and whom it pays or is paid by.
    fn parties(&self, direction: Direction, event: &mut PaymentEvent) -> Sides<'_> {
        // Parties and their agents stand apart in a booking.
        let places: Vec<&Element> =
            ["RltdPties", "RltdAgts"].into_iter().filter_map(|name| self.detail.child(name)).collect();
        let sides = Sides::of(&places);
        let (mut own, other) = if self.is_debtor(&sides, direction) {
            (sides.debtor, sides.creditor)
        } else {
            (sides.creditor, sides.debtor)
        };
        let notified = self.report.child("Acct");
        let given = own.account.filter(|account| !is_one(Some(account), notified)).and_then(number);
        own.account = notified.or(own.account);
        own.party = own.party.or_else(|| self.report.at("Acct/Ownr"));
        own.agent = own.agent.or_else(|| self.report.at("Acct/Svcr"));
        let (debtor, creditor, role) = match direction {
            Direction::Outbound => (own, other, "debtor"),
            _ => (other, own, "creditor"),
        };
        event.debtor = debtor.read("debtor", &mut event.attributes);
        event.creditor = creditor.read("creditor", &mut event.attributes);
        keep(&mut event.attributes, format!("{role}.account_given"), given);
        Sides { debtor, creditor }
    }

    /// Whether the customer stands where the debtor does: the side that has the notified account, or its owner's name;
    /// else by the way the money goes, which of a return is the original's reversed.
    fn is_debtor(&self, sides: &Sides<'_>, direction: Direction) -> bool {
        let notified = self.report.child("Acct");
        let owner = self.report.at("Acct/Ownr");
        let by_account = |side: &Side<'_>| is_one(side.account, notified);
        let by_name = |side: &Side<'_>| is_namesake(side.party, owner);
        let told = [by_account(&sides.debtor), by_account(&sides.creditor)];
        let told = if told[0] == told[1] { [by_name(&sides.debtor), by_name(&sides.creditor)] } else { told };
        match told {
            [true, false] => true,
            [false, true] => false,
            _ => (direction == Direction::Outbound) != self.is_return(),
        }
    }
}

/// An account's number.
fn number(account: &Element) -> Option<&str> {
    account.text_at("Id/IBAN").or_else(|| account.text_at("Id/Othr/Id"))
}

/// Whether two elements name one account, however each writes it.
fn is_one(account: Option<&Element>, notified: Option<&Element>) -> bool {
    let number = |account: Option<&Element>| {
        account.and_then(number).map(|text| identifier::account(text).into_owned())
    };
    number(account).is_some_and(|found| Some(found) == number(notified))
}

/// Whether a party has the owner's name.
fn is_namesake(party: Option<&Element>, owner: Option<&Element>) -> bool {
    let name = |party: Option<&Element>| {
        let party = party?;
        party.text_at("Nm").or_else(|| party.text_at("Pty/Nm")).map(identifier::name)
    };
    name(party).is_some_and(|found| Some(found) == name(owner))
}
