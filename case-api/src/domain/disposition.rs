//! How a case may end: the codes, who may use them, and what each must be accompanied by.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Hold, OrderedFreeze, Permission, Refusal, check_suppression};

/// How a case closes. Precision of rules is counted from these, so each says one thing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING-KEBAB-CASE")]
#[expect(missing_docs, reason = "`meaning` says what each is")]
pub enum DispositionCode {
    FpName,
    FpDob,
    FpCountry,
    FpListstale,
    ExpBusiness,
    ExpSalary,
    ExpOwnacct,
    DqData,
    Dup,
    Mon,
    Exit,
    Str,
    TfsMatch,
}

impl DispositionCode {
    /// Every code, from the mildest to the gravest.
    pub const ALL: [Self; 13] = [
        Self::FpName,
        Self::FpDob,
        Self::FpCountry,
        Self::FpListstale,
        Self::ExpBusiness,
        Self::ExpSalary,
        Self::ExpOwnacct,
        Self::DqData,
        Self::Dup,
        Self::Mon,
        Self::Exit,
        Self::Str,
        Self::TfsMatch,
    ];

    /// The code as forms, JSON and reports write it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::FpName => "FP-NAME",
            Self::FpDob => "FP-DOB",
            Self::FpCountry => "FP-COUNTRY",
            Self::FpListstale => "FP-LISTSTALE",
            Self::ExpBusiness => "EXP-BUSINESS",
            Self::ExpSalary => "EXP-SALARY",
            Self::ExpOwnacct => "EXP-OWNACCT",
            Self::DqData => "DQ-DATA",
            Self::Dup => "DUP",
            Self::Mon => "MON",
            Self::Exit => "EXIT",
            Self::Str => "STR",
            Self::TfsMatch => "TFS-MATCH",
        }
    }

    /// What it means, for people.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::FpName => "False positive: another name",
            Self::FpDob => "False positive: another date of birth",
            Self::FpCountry => "False positive: another country",
            Self::FpListstale => "False positive: the list entry is out of date",
            Self::ExpBusiness => "Explained: ordinary business",
            Self::ExpSalary => "Explained: salary or regular income",
            Self::ExpOwnacct => "Explained: between own accounts",
            Self::DqData => "Data quality: the event was wrong",
            Self::Dup => "Duplicate of another case",
            Self::Mon => "No report; keep under monitoring",
            Self::Exit => "End the relationship",
            Self::Str => "Suspicious transaction report",
            Self::TfsMatch => "True match to a sanctions list",
        }
    }

    /// Whether the code says that a list match was of somebody else: it then needs how the two differ.
    pub const fn is_false_positive(self) -> bool {
        matches!(self, Self::FpName | Self::FpDob | Self::FpCountry | Self::FpListstale)
    }

    /// Whether the match may be suppressed: it is known to be of somebody else. An entry that is out of date is the
    /// list's to mend.
    pub const fn may_suppress(self) -> bool {
        matches!(self, Self::FpName | Self::FpDob | Self::FpCountry)
    }

    /// Whether the party is the listed one: whatever was suppressed of it was wrong.
    pub const fn is_true_match(self) -> bool {
        matches!(self, Self::TfsMatch)
    }

    /// Whether funds may stay held or frozen when a case ends so.
    pub const fn leaves_funds_held(self) -> bool {
        matches!(self, Self::Exit | Self::Str | Self::TfsMatch)
    }

    /// What is needed to end a case so.
    pub const fn permission(self) -> Permission {
        match self {
            Self::Mon => Permission::Investigate,
            Self::Exit | Self::Str | Self::TfsMatch => Permission::Decide,
            _ => Permission::Triage,
        }
    }
}

impl FromStr for DispositionCode {
    type Err = UnknownCode;

    fn from_str(code: &str) -> Result<Self, UnknownCode> {
        Self::ALL.into_iter().find(|c| c.code() == code).ok_or(UnknownCode)
    }
}

/// Not one of the codes.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("not a disposition code")]
pub struct UnknownCode;

/// What an officer says when closing a case.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Closing {
    /// How it closes.
    pub disposition: DispositionCode,
    /// For a false positive: how the customer differs from the listed party.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discriminator: Option<String>,
    /// Why, in the officer's words. Not filing is a decision too, and is recorded as fully as filing.
    pub reason: String,
    /// For another name, date of birth or country: propose to suppress the case's matches for so many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppress_days: Option<u32>,
}

impl Closing {
    /// Whether everything that the code asks for is said.
    pub fn check(&self) -> Result<(), Refusal> {
        let said = self.discriminator.as_deref().is_some_and(|d| !d.trim().is_empty());
        if self.disposition.is_false_positive() && !said {
            return Err(Refusal::DiscriminatorMissing);
        }
        self.suppress_days.map_or(Ok(()), |days| check_suppression(self.disposition, days))
    }

    /// A case that found nothing leaves nobody's money behind: whether none of its holds waits and none of its freezes is in force.
    pub fn check_funds(&self, holds: &[Hold], freezes: &[OrderedFreeze]) -> Result<(), Refusal> {
        if self.disposition.leaves_funds_held() {
            return Ok(());
        }
        if holds.iter().any(Hold::waits) {
            return Err(Refusal::FundsHeld("a held payment"));
        }
        if freezes.iter().any(OrderedFreeze::is_in_force) {
            return Err(Refusal::FundsHeld("a freeze"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{Act, HoldState},
        limits::NOTE_CHARS_MAX,
    };

    #[test]
    fn json_and_forms_write_the_same_code() {
        for code in DispositionCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.code());
            assert_eq!(code.code().parse::<DispositionCode>().unwrap(), code);
        }
    }

    #[test]
    fn a_false_positive_says_what_tells_the_two_apart() {
        let mut closing = Closing {
            disposition: DispositionCode::FpDob,
            discriminator: Some("  ".into()),
            reason: "not him".into(),
            suppress_days: None,
        };
        assert_eq!(closing.check(), Err(Refusal::DiscriminatorMissing));
        closing.discriminator = Some("born 1980, the listed man 1961".into());
        assert_eq!(closing.check(), Ok(()));
    }

    #[test]
    fn a_closing_says_why_and_may_leave_the_rest_empty() {
        let texts = |reason: &str, discriminator: &str| {
            let (reason, discriminator) = (reason.to_owned(), Some(discriminator.to_owned()));
            let disposition = DispositionCode::FpDob;
            Act::Close(Closing { disposition, discriminator, reason, suppress_days: None }).check_texts()
        };
        assert_eq!(texts("not him", ""), Ok(()));
        assert_eq!(texts(" ", "born later"), Err(Refusal::BadText));
        assert_eq!(texts("not him", &"x".repeat(NOTE_CHARS_MAX)), Ok(()));
        assert_eq!(texts("not him", &"x".repeat(NOTE_CHARS_MAX + 1)), Err(Refusal::BadText));
    }

    #[test]
    fn to_watch_somebody_takes_an_investigator_and_to_end_with_them_an_mlro() {
        for code in DispositionCode::ALL {
            let expected = match code {
                DispositionCode::Mon => Permission::Investigate,
                code if code.leaves_funds_held() => Permission::Decide,
                _ => Permission::Triage,
            };
            assert_eq!(code.permission(), expected, "{code:?}");
        }
    }

    #[test]
    fn a_case_that_found_nothing_leaves_nobodys_money_behind() {
        let at = crate::stamp::Stamp::from(1);
        let hold = |state| Hold {
            seq: 1,
            payment_id: "P".into(),
            event_id: "E".into(),
            because: "A".into(),
            case_id: None,
            state,
            held_at: at,
            proposed_by: None,
            proposed_at: None,
            cleared_by: None,
            cleared_at: None,
        };
        let freeze = |lifted_at| OrderedFreeze {
            seq: 1,
            case_id: "CASE-1".into(),
            key_kind: "customer".into(),
            key_value: "C-1".into(),
            frozen_by: "ines".into(),
            frozen_at: at,
            lifted_by: None,
            lifted_at,
        };
        for disposition in DispositionCode::ALL {
            let reason = "because".to_owned();
            let closing = Closing { disposition, discriminator: None, reason, suppress_days: None };
            let may_stay = disposition.leaves_funds_held();
            for state in HoldState::ALL {
                let free = may_stay || !hold(state).waits();
                assert_eq!(
                    closing.check_funds(&[hold(state)], &[]).is_ok(),
                    free,
                    "{disposition:?} {state:?}"
                );
            }
            assert_eq!(closing.check_funds(&[], &[freeze(None)]).is_ok(), may_stay, "{disposition:?}");
            assert_eq!(closing.check_funds(&[], &[freeze(Some(at))]), Ok(()), "{disposition:?}");
        }
    }
}
