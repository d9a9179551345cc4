//! A `sluice up` process, and a client of it.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use serde_json::Value;

/// A request that takes longer has failed: the test then says where.
const REQUEST_TAKES_AT_MOST: Duration = Duration::from_secs(60);

/// Rules with little in the way: every payment of HK$1,900 and more is held, a customer's third within an hour is
/// alerted once an hour.
pub fn write_rules(folder: &Path) {
    let about = r#"about: "A test.", severity: "high", typology: "test",
        regulation: #{ text: "a test", source: "https://example.com", date: "2026-01-01" },"#;
    let large = format!(
        r#"rule T01 #{{ title: "Large", key: "payment", action: "hold", speaks: "every event", {about} }};
        parameter most #{{ value: 1900, unit: "HKD", range: [1, 100000], owner: "test", why: "a test" }};
        condition amount >= most;
        reason `${{most}} or more`;"#
    );
    let third = format!(
        r#"rule T02 #{{ title: "Third", key: "customer", action: "alert", speaks: "once per 1h", {about} }};
        parameter within #{{ value: 1, unit: "hours", range: [1, 24], owner: "test", why: "a test" }};
        window payments #{{ measure: "count", role: "debtor", length: within }};
        condition is_debtor && payments >= 3;
        reason `${{payments}} payments within ${{within}}`;"#
    );
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("T01.rhai"), large).unwrap();
    fs::write(folder.join("T02.rhai"), third).unwrap();
}

/// `sluice up --json` on a free port.
pub fn command(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluice"));
    command.args(["up", "--json", "--listen", "127.0.0.1:0", "--data"]).arg(data);
    command.env("SLUICE_LOG", "warn").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    command
}

/// A process that said it was ready. Killed when dropped.
pub struct Up {
    child: Child,
    pub ready: Value,
}

impl Up {
    /// Start and wait for the ready line; `None` when the process ended before.
    pub fn start(mut command: Command) -> Option<Self> {
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        match serde_json::from_str(&line) {
            Ok(ready) => Some(Self { child, ready }),
            Err(_) => {
                child.wait().unwrap();
                None
            }
        }
    }

    /// A client with the process's own key.
    pub fn client(&self) -> Client {
        let text = |field: &str| self.ready[field].as_str().unwrap().to_owned();
        Client::new(text("url"), text("api_key"))
    }

    /// A client that has signed in as the operator: another person than the process's key.
    pub fn operator(&self) -> Client {
        let text = |field: &str| self.ready[field].as_str().unwrap().to_owned();
        let credentials = serde_json::json!({"user": text("user"), "password": text("password")});
        let client = Client::new(text("url"), String::new());
        let request = client.agent.post(format!("{}/v1/sessions", client.url));
        let response =
            request.header("content-type", "application/json").send(credentials.to_string()).unwrap();
        let cookie = response.headers()["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let (_, created) = answer(response).unwrap();
        Client { session: Some((cookie, created["csrf_token"].as_str().unwrap().to_owned())), ..client }
    }

    /// The process's id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and how it ended.
    pub fn terminate(mut self) -> ExitStatus {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap()
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Speaks to a process over HTTP.
#[derive(Clone)]
pub struct Client {
    agent: ureq::Agent,
    url: String,
    key: String,
    /// The cookie and the token of a session.
    session: Option<(String, String)>,
}

impl Client {
    fn new(url: String, key: String) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(REQUEST_TAKES_AT_MOST))
            .build();
        Self { agent: config.into(), url, key, session: None }
    }

    /// Without a key.
    pub fn anonymous(&self) -> Self {
        Self { key: String::new(), ..self.clone() }
    }

    /// Post a body: the status and the answer, or `None` when the process went away.
    pub fn post(&self, path: &str, content_type: &str, body: &str) -> Option<(u16, Value)> {
        let mut request = self.agent.post(format!("{}{path}", self.url)).header("content-type", content_type);
        if !self.key.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.key));
        }
        if let Some((cookie, csrf)) = &self.session {
            request = request.header("cookie", cookie).header("x-csrf-token", csrf);
        }
        answer(request.send(body).ok()?)
    }

    /// Get a path: the status and the answer, or `None` when the process went away.
    pub fn get(&self, path: &str) -> Option<(u16, Value)> {
        let mut request = self.agent.get(format!("{}{path}", self.url));
        if !self.key.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.key));
        }
        answer(request.call().ok()?)
    }

    /// Every item of a list.
    pub fn list(&self, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let (status, mut page) = self.get(&format!("{path}{cursor}")).unwrap();
            assert_eq!(status, 200, "{page}");
            items.append(page["items"].as_array_mut().unwrap());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("?limit=1000&cursor={next}"),
                None => return items,
            }
        }
    }
}

fn answer(mut response: ureq::http::Response<ureq::Body>) -> Option<(u16, Value)> {
    let text = response.body_mut().read_to_string().ok()?;
    Some((response.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text))))
}
