//! `sluice events check`: what a file holds, before it is sent.

use std::{fs, process::Command};

const MAPPING: &str = r#"
zone = "Asia/Hong_Kong"
[fields]
event_id = { column = "ref", prefix = "b-" }
occurred_at = { column = "at", format = "%d/%m/%Y %H:%M" }
"amount.value" = { column = "sum", group = "," }
"amount.currency" = { constant = "HKD" }
"debtor.account" = "from"
[[only]]
column = "kind"
in = ["T"]
"#;

fn check(rows: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let (mapping, table) = (folder.path().join("mapping.toml"), folder.path().join("table.csv"));
    fs::write(&mapping, MAPPING).unwrap();
    fs::write(&table, format!("ref,at,sum,from,kind\n{rows}")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluice"));
    let output = command.args(["events", "check", "--mapping"]).arg(mapping).arg(table).output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn a_file_is_shown_as_it_will_be_read() {
    let good = "1,20/11/2026 16:30,\"7,800.00\",A1,T\n2,,,,X\n";
    let (code, told) = check(good);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.starts_with("line 2\n"), "{told}");
    for shown in ["occurred_at      2026-11-20T08:30:00Z", "amount.value     7800.00", "debtor.account   A1"]
    {
        assert!(told.contains(shown), "{told}");
    }
    assert!(told.ends_with("1 read, 0 refused, 1 passed over\n"), "{told}");

    let (code, told) = check(&format!("{good}3,20/11/2026 16:30,\"7,80\",A1,T\n"));
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("line 4: malformed: amount.value: the column's digits are not grouped"), "{told}");
    assert!(!told.contains("7,80\n") && told.ends_with("1 read, 1 refused, 1 passed over\n"), "{told}");
}

#[test]
fn a_file_that_says_what_it_is_needs_no_mapping() {
    let folder = tempfile::tempdir().unwrap();
    let document = folder.path().join("orders.xml");
    let transfer = |amount: &str| {
        format!("<CdtTrfTxInf><IntrBkSttlmAmt Ccy=\"HKD\">{amount}</IntrBkSttlmAmt></CdtTrfTxInf>")
    };
    let group = "<GrpHdr><MsgId>M</MsgId><CreDtTm>2026-11-20T09:59:00Z</CreDtTm></GrpHdr>";
    let body = [transfer("1.00"), transfer("1.005")].concat();
    fs::write(&document, format!("<FIToFICstmrCdtTrf>{group}{body}</FIToFICstmrCdtTrf>")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluice"));
    let output = command.args(["events", "check"]).arg(document).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.starts_with("event 1\n") && told.contains(" 1.00\n"), "{told}");
    assert!(
        told.contains("pacs.008 transaction 2") && told.ends_with("1 read, 1 refused, 0 passed over\n"),
        "{told}"
    );
}

#[test]
fn a_source_has_a_zone() {
    let folder = tempfile::tempdir().unwrap();
    let document = folder.path().join("local.xml");
    let group = "<GrpHdr><MsgId>M</MsgId><CreDtTm>2026-11-20T16:30:00</CreDtTm></GrpHdr>";
    let transfer = "<CdtTrfTxInf><IntrBkSttlmAmt Ccy=\"HKD\">1.00</IntrBkSttlmAmt></CdtTrfTxInf>";
    fs::write(&document, format!("<FIToFICstmrCdtTrf>{group}{transfer}</FIToFICstmrCdtTrf>")).unwrap();
    let check = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sluice"));
        let output = command.args(["events", "check"]).args(arguments).arg(&document).output().unwrap();
        let told = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.code(), told)
    };
    for (arguments, time) in [(&[][..], "08:30"), (&["--zone", "Europe/Zurich"], "15:30")] {
        let (code, told) = check(arguments);
        assert_eq!(code, Some(0), "{told}");
        assert!(told.contains(&format!("2026-11-20T{time}:00Z\n")), "{told}");
    }
    let (code, told) = check(&["--zone", "Asia/Hongkong"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("--zone") && told.contains("no zone of IANA's time zone database"), "{told}");
}
