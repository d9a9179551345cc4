//! The console in a real headless Chromium: an officer's path from sign-in to a closed case.
//!
//! Needs `chromium` and `chromedriver` on the path and runs with `SLUICE_BROWSER_TESTS=1` only. With
//! `SLUICE_SCREENSHOTS=DIR` each step leaves a picture there.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod support;

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use sluice_case_api::{
    domain::{Role, Roles},
    ports::Record,
};
use sluice_core::CaseRunner;
use sluice_model::{Action, Control};
use sluice_rules::{CaseEngine, RuleSet};
use support::{PASSWORD, Side, alert, event, held_alert, large, record};
use thirtyfour::prelude::*;

/// How long an element may take to appear. Only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// A ChromeDriver on a free port, ended with the test.
struct Driver {
    process: Child,
    url: String,
}

impl Driver {
    fn start() -> Self {
        let mut process = Command::new("chromedriver")
            .args(["--port=0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is installed");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let said = lines
            .find(|l| l.as_ref().is_ok_and(|l| l.contains("started successfully on port")))
            .unwrap()
            .unwrap();
        let port = said.rsplit(' ').next().unwrap().trim_end_matches('.');
        let url = format!("http://127.0.0.1:{port}");
        // Keep the pipe read, so that the driver never waits for it.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, url }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An officer before a browser.
struct Officer {
    driver: WebDriver,
    base: String,
    step: std::cell::Cell<u32>,
}

impl Officer {
    async fn new(chromedriver: &str, base: &str, profile: &std::path::Path) -> Self {
        let mut capabilities = DesiredCapabilities::chrome();
        for flag in [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--window-size=1440,1000",
        ] {
            capabilities.add_arg(flag).unwrap();
        }
        capabilities.add_arg(&format!("--user-data-dir={}", profile.display())).unwrap();
        // In a build with an object store, no client is made without one. It fails where there is one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let driver = WebDriver::new(chromedriver, capabilities).await.unwrap();
        Self { driver, base: base.to_owned(), step: std::cell::Cell::new(0) }
    }

    async fn open(&self, path: &str) {
        self.driver.goto(format!("{}{path}", self.base)).await.unwrap();
    }

    async fn see(&self, css: &str) -> WebElement {
        let found = self.driver.query(By::Css(css)).wait(PATIENCE, Duration::from_millis(50)).first().await;
        match found {
            Ok(element) => element,
            Err(_) => panic!("{css} is not on {}:\n{}", self.url().await, self.text().await),
        }
    }

    async fn click(&self, css: &str) {
        self.see(css).await.click().await.unwrap();
    }

    /// Send a form and wait for the page that tells that it is done, not for what the page before it told.
    async fn act(&self, css: &str) {
        let page = self.see("html").await;
        self.click(css).await;
        page.wait_until().wait(PATIENCE, Duration::from_millis(50)).stale().await.unwrap();
        self.see("#done").await;
    }

    async fn write(&self, css: &str, text: &str) {
        let field = self.see(css).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Choose an option of a list by what it is worth.
    async fn choose(&self, css: &str, value: &str) {
        self.click(&format!("{css} option[value='{value}']")).await;
    }

    async fn sign_in(&self, user: &str) {
        self.open("/signin").await;
        self.write("#user", user).await;
        self.write("#password", PASSWORD).await;
        self.click("button[type=submit]").await;
        self.see(".who").await;
    }

    async fn sign_out(&self) {
        self.click(".who button").await;
        self.see("#password").await;
    }

    async fn text(&self) -> String {
        self.driver.find(By::Tag("body")).await.unwrap().text().await.unwrap()
    }

    async fn url(&self) -> String {
        self.driver.current_url().await.unwrap().path().to_owned()
    }

    async fn picture(&self, name: &str) {
        let Some(folder) = std::env::var_os("SLUICE_SCREENSHOTS") else { return };
        let step = self.step.get();
        self.step.set(step + 1);
        let path = std::path::Path::new(&folder).join(format!("{step:02}-{name}.png"));
        self.driver.screenshot(&path).await.unwrap();
    }
}

async fn serve(side: &Side) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let router = side.router.clone();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let api = side.api.clone();
    tokio::spawn(async move { api.run(std::future::pending()).await });
    base
}

#[tokio::test]
async fn an_officer_works_a_case_from_alert_to_closing() {
    if std::env::var_os("SLUICE_BROWSER_TESTS").is_none() {
        println!("left out: the console in a real browser (SLUICE_BROWSER_TESTS is not set)");
        return;
    }
    let side = Side::new().await;
    side.api.put_user("mei.mlro", PASSWORD, Roles::new([Role::Mlro]), "test").await.unwrap();
    side.api.put_user("ann", PASSWORD, Roles::new([Role::Analyst]), "test").await.unwrap();
    let base = serve(&side).await;
    let chromedriver = Driver::start();
    let profile = tempfile::tempdir().unwrap();
    let officer = Officer::new(&chromedriver.url, &base, profile.path()).await;

    // Signing in, first wrongly.
    officer.open("/cases").await;
    officer.picture("sign-in").await;
    officer.write("#user", "mei.mlro").await;
    officer.write("#password", "not the password").await;
    officer.click("button[type=submit]").await;
    officer.see("#error").await;
    officer.write("#password", PASSWORD).await;
    officer.click("button[type=submit]").await;

    // Alerts appear by themselves. Screening is off, and the page says so.
    officer.see(".empty").await;
    assert!(officer.text().await.contains("Screening is off"));
    officer.picture("no-alerts").await;
    side.world.lists.lock().unwrap().push(support::list());
    let mine = alert(1, "C-1001");
    let (held, hold) = held_alert(2, "C-2002");
    let judged = Arc::new(event(&mine));
    side.world.say(Record::Alert(Box::new(mine.clone()), Some(judged)));
    side.world.say(Record::Alert(Box::new(held.clone()), Some(Arc::new(event(&held)))));
    side.world.say(Record::Hold(hold));
    for n in 10..24 {
        side.world.say(record(alert(n, &format!("C-10{n}"))));
    }
    officer.see(&format!("#alert-{}", mine.alert_id.short())).await;
    officer.driver.execute("window.scrollTo(0, 0)", Vec::new()).await.unwrap();
    officer.picture("alerts").await;

    // The case behind an alert, with its reason and its payment in both scripts.
    officer.click(&format!("#alert-{}", mine.alert_id.short())).await;
    officer.see("#chain.ok").await;
    let text = officer.text().await;
    for shown in [mine.reason.as_str(), "陳大文", "HKD 7,800.00", "count 24h"] {
        assert!(text.contains(shown), "{shown} on\n{text}");
    }
    officer.picture("case").await;

    // Comment, assign, escalate twice, freeze.
    officer.write("#comment-text", "Asked the branch for the 發票.").await;
    officer.act("#comment").await;
    assert!(officer.text().await.contains("Asked the branch for the 發票."));
    officer.click("#assign-to option:last-of-type").await;
    officer.act("#assign").await;
    for state in ["Investigation", "MLRO review"] {
        officer.click("#escalate-open").await;
        officer.write("#escalate-text", "Three deposits below the line within a day.").await;
        officer.act("#escalate").await;
        assert_eq!(officer.see(".steps .now").await.text().await.unwrap(), state);
    }
    officer.click("#freeze-open").await;
    officer.picture("freeze-form").await;
    officer.write("#freeze-text", "Funds must not leave.").await;
    officer.act("#freeze").await;
    assert!(matches!(side.world.controls().as_slice(), [Control::Freeze(f)] if f.key.value == "C-1001"));
    officer.picture("frozen").await;

    // Closing as explained is refused while the freeze stands; ending the relationship is not.
    for (code, outcome) in [("EXP-BUSINESS", "#error"), ("EXIT", "#done")] {
        officer.click("#close-open").await;
        officer.choose("#close-disposition", code).await;
        officer.write("#close-text", "No business explains it.").await;
        officer.click("#close").await;
        officer.see(outcome).await;
    }
    assert_eq!(officer.see(".steps .now").await.text().await.unwrap(), "Closed");
    officer.picture("closed").await;

    // The held payment: its match is explained token by token; releasing it reaches the log.
    officer.open("/holds").await;
    officer.picture("holds").await;
    officer.click("td a.mono").await;
    let text = officer.see(".reasons").await.text().await.unwrap();
    assert!(text.contains("peter ~ piotr, two letters apart"), "{text}");
    officer.picture("sanctions-case").await;
    officer.write("#release-text", "Another man: born 1980.").await;
    officer.act("#release").await;
    assert!(matches!(side.world.controls().last(), Some(Control::Release(r)) if r.payment_id == "P-2"));

    // The other pages.
    for page in ["cases", "rules", "lists", "audit"] {
        officer.open(&format!("/{page}")).await;
        officer.see("h1").await;
        officer.picture(page).await;
    }
    officer.open("/lists").await;
    officer.write("#name", "Peter Orlov").await;
    officer.click("#screen").await;
    officer.see(".match").await;
    officer.picture("screened").await;

    // Usable from the keyboard: the first stop skips to the content.
    officer.open("/alerts").await;
    let active = officer.driver.active_element().await.unwrap();
    active.send_keys(Key::Tab).await.unwrap();
    let focused = officer.driver.active_element().await.unwrap();
    assert_eq!(focused.attr("class").await.unwrap().as_deref(), Some("skip"));

    // An analyst is offered triage only; signing out ends the session.
    officer.sign_out().await;
    officer.sign_in("ann").await;
    officer.open("/cases/CASE-000002").await;
    officer.see("#comment").await;
    for missing in ["#freeze", "#release"] {
        assert!(officer.driver.find(By::Css(missing)).await.is_err(), "an analyst sees {missing}");
    }
    officer.picture("analyst").await;
    officer.sign_out().await;
    officer.open("/cases").await;
    assert_eq!(officer.url().await, "/signin");
    officer.driver.clone().quit().await.unwrap();
}

/// Whether a payment of HK$7,800 would be held by the rules in force.
fn holds(side: &Side) -> bool {
    let rules = Arc::new(RuleSet::compile(&side.world.rules.lock().unwrap()).unwrap());
    let payment = event(&alert(1, "C-1001"));
    CaseRunner.run(&rules, &[payment]).unwrap().iter().any(|alert| alert.action == Action::Hold)
}

#[tokio::test]
async fn a_rule_goes_from_proposal_to_force_and_back() {
    if std::env::var_os("SLUICE_BROWSER_TESTS").is_none() {
        println!("left out: rules in a real browser (SLUICE_BROWSER_TESTS is not set)");
        return;
    }
    let side = Side::new().await;
    side.begin_with(&large(8000)).await;
    for (name, role) in [("ivan", Role::Investigator), ("mei", Role::Mlro)] {
        side.api.put_user(name, PASSWORD, Roles::new([role]), "test").await.unwrap();
    }
    let base = serve(&side).await;
    let chromedriver = Driver::start();
    let profile = tempfile::tempdir().unwrap();
    let officer = Officer::new(&chromedriver.url, &base, profile.path()).await;

    // The author loads the file, slips once, then sends what checks.
    officer.sign_in("ivan").await;
    officer.open("/rules/propose?file=large.rhai").await;
    let [cases, rule] = [&large(5000)[0].text, &large(5000)[1].text].map(|text| text.trim_end().to_owned());
    officer.write("#text", &rule.replace("amount >=", "amuont >=")).await;
    officer.write("#cases", &cases).await;
    officer.write("#rationale", "七千多元的個案沒有被發現。Payments of 7,000 were missed.").await;
    officer.click("#send").await;
    let found = officer.see("#found").await.text().await.unwrap();
    assert!(found.contains("large.rhai:7:11") && found.contains("did you mean `amount`?"), "{found}");
    officer.picture("rules-refused").await;

    // Kept as a draft as it is, gone on with, then sent.
    officer.act("#save").await;
    let found = officer.see("#problems").await.text().await.unwrap();
    assert!(found.contains("large.rhai:7:11"), "{found}");
    officer.picture("rules-draft").await;
    officer.click("#edit").await;
    officer.see("#path[value='large.rhai']").await;
    officer.write("#text", &rule).await;
    officer.act("#send").await;
    let text = officer.text().await;
    for shown in [
        "七千多元的個案沒有被發現",
        "+parameter most #{ value: 5000",
        "2 cases pass",
        "another person decides",
    ] {
        assert!(text.contains(shown), "{shown} on\n{text}");
    }
    assert!(officer.driver.find(By::Css("#approve")).await.is_err(), "an author is offered his own approval");
    officer.picture("rules-proposal").await;
    officer.sign_out().await;

    // It is judged in shadow; then a second person approves and puts it in force, and it applies from the next payment on.
    assert!(!holds(&side));
    officer.sign_in("mei").await;
    officer.open("/rules/versions/RV-000002").await;
    officer.write("#shadow-reason", "How many would it be?").await;
    officer.act("#shadow").await;
    officer.open("/rules").await;
    officer.see("#in-shadow a[href$='RV-000002']").await;
    officer.open("/rules").await;
    officer.picture("rules-waiting").await;
    officer.open("/rules/versions/RV-000002").await;
    for act in ["approve", "activate"] {
        officer.write(&format!("#{act}-reason"), "The cases show it.").await;
        officer.act(&format!("#{act}")).await;
    }
    officer.open("/rules").await;
    officer.see("#in-force[href$='RV-000002']").await;
    assert!(holds(&side));
    officer.picture("rules-in-force").await;

    // One act takes it back.
    officer.click("#rollback-open").await;
    officer.write("#rollback-reason", "It drowns the queue.").await;
    officer.click("#rollback").await;
    officer.see("#in-force[href$='RV-000001']").await;
    assert!(!holds(&side));
    officer.open("/audit").await;
    let text = officer.text().await;
    for shown in ["draft rules", "submit rules", "approve rules", "activate rules", "rules in force"] {
        assert!(text.contains(shown), "{shown} on\n{text}");
    }
    officer.picture("rules-audit").await;
    officer.driver.clone().quit().await.unwrap();
}

#[tokio::test]
async fn officers_mend_a_letter_and_two_of_them_take_a_lesser_configuration() {
    if std::env::var_os("SLUICE_BROWSER_TESTS").is_none() {
        println!("left out: the console in a real browser (SLUICE_BROWSER_TESTS is not set)");
        return;
    }
    let side = Side::new().await;
    for (name, role) in [("ivan", Role::Investigator), ("mei.mlro", Role::Mlro)] {
        side.api.put_user(name, PASSWORD, Roles::new([role]), "test").await.unwrap();
    }
    side.world.lists.lock().unwrap().push(support::list());
    *side.world.notices.lock().unwrap() =
        vec!["For development: rules come from a watched folder.".to_owned()];
    let letter = serde_json::json!({
        "id": "0", "received_at": support::start(), "source": "http", "code": "malformed",
        "reason": "line 1, column 14: a comma is missing", "original": "{\"event_id\": \"E-9\" \"amount\": 7}",
    });
    side.world.letters.lock().unwrap().push(letter);
    let lost = vec!["the list ofac-sdn is gone".to_owned(), "lists might be older than 30d".to_owned()];
    let order = Control::Screening(sluice_model::Screening::default());
    side.api.configuration_is_less("screening", &lost, Some(&order)).await.unwrap();
    // One payment that two alerts of a case hold, the release of the first proposed.
    let (first, hold) = held_alert(1, "C-2002");
    let seen = first.alert_id;
    side.say([record(first), Record::Hold(hold.clone())]).await;
    let ivan = side.key("ivan", &[Role::Investigator]);
    let release = serde_json::json!({"action": "release", "alerts": [seen], "reason": "another man"});
    assert_eq!(side.act(&ivan, "CASE-000001", release).await.status, 200);
    let (mut second, _) = held_alert(2, "C-2002");
    second.payment_id = "P-1".into();
    let further = sluice_model::HoldRecord { because: second.alert_id.to_string(), ..hold };
    side.say([record(second), Record::Hold(further)]).await;

    let base = serve(&side).await;
    let chromedriver = Driver::start();
    let profile = tempfile::tempdir().unwrap();
    let officer = Officer::new(&chromedriver.url, &base, profile.path()).await;
    officer.sign_in("ivan").await;
    officer.click("#nav-dead-letters").await;
    officer.see("td a[href='/dead-letters/0']").await;
    officer.picture("dead-letters").await;
    officer.click("td a[href='/dead-letters/0']").await;
    officer.write("#reason", "the comma was missing").await;
    officer.click("#send").await;
    officer.see("#error").await;
    officer.picture("dead-letter-refused").await;
    officer.write("#event", "good").await;
    officer.act("#send").await;
    officer.picture("dead-letter-sent").await;
    officer.open("/lists").await;
    officer.write("textarea[name=text]", "the publisher ended it").await;
    officer.act("#less-propose").await;
    officer.picture("less-proposed").await;
    officer.sign_out().await;

    officer.sign_in("mei.mlro").await;
    officer.open("/lists").await;
    officer.write("textarea[name=text]", "agreed").await;
    officer.picture("less-to-approve").await;
    officer.act("#less-approve").await;
    assert!(side.world.controls().iter().any(|control| matches!(control, Control::Screening(_))));
    officer.open("/cases/CASE-000001").await;
    officer.write("#release-text", "born 1961, the listed man 1951").await;
    officer.picture("confirm-release").await;
    officer.act("#release").await;
    officer.picture("released-in-part").await;
    assert!(officer.text().await.contains("Another alert still holds the payment"));
    officer.sign_out().await;
}
