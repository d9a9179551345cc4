//! A PostgreSQL cluster of the tests' own: in a folder of this process, on a socket in it, and gone with the process.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::LazyLock,
};

/// PostgreSQL runs under a user of its own where the tests are root's.
const USER: &str = "postgres";
/// Beside the folders of `PATH`, where Debian's package puts the server, by version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// Its folder; `None`, and said so, where there is no PostgreSQL.
static FOLDER: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    let folder = start();
    if folder.is_none() {
        println!(
            "left out: the case side on PostgreSQL (install postgresql); its tests run on SQLite once more"
        );
    }
    folder
});

/// The URL of a database of that name, made where there is none; `None` where there is no PostgreSQL.
pub fn database(name: &str) -> Option<String> {
    let folder = FOLDER.as_ref()?;
    let made = tool("createdb", &[name]);
    let said = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success() || said.contains("already exists"), "{said}");
    Some(format!("postgres://{USER}@localhost/{name}?host={}", folder.display()))
}

/// Run statements in a database, as somebody who has nothing to do with the case side; what they say.
pub fn execute(url: &str, sql: &str) -> String {
    let done = tool("psql", &["-d", name(url), "-v", "ON_ERROR_STOP=1", "-q", "-A", "-t", "-c", sql]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

/// A database that keeps its tables in a folder; gone when dropped, so that the folder may go.
pub struct Moved<'a>(&'a str);

impl<'a> Moved<'a> {
    pub fn to(url: &'a str, folder: &Path) -> Self {
        let given = Command::new("chown").arg(USER).arg(folder).status().unwrap();
        assert!(given.success());
        let name = name(url);
        as_owner(&format!("CREATE TABLESPACE small_{name} LOCATION '{}'", folder.display()));
        as_owner(&format!("ALTER DATABASE {name} SET TABLESPACE small_{name}"));
        Self(url)
    }
}

impl Drop for Moved<'_> {
    fn drop(&mut self) {
        let name = name(self.0);
        as_owner(&format!("DROP DATABASE {name} WITH (FORCE)"));
        as_owner(&format!("DROP TABLESPACE small_{name}"));
    }
}

fn as_owner(sql: &str) {
    let done = tool("psql", &["-d", "postgres", "-v", "ON_ERROR_STOP=1", "-q", "-c", sql]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// The database that a URL names.
fn name(url: &str) -> &str {
    url.split(['/', '?']).nth(3).unwrap()
}

fn tool(name: &str, args: &[&str]) -> Output {
    let folder = FOLDER.as_ref().unwrap();
    let mut command = Command::new(programs().unwrap().join(name));
    command.arg("-h").arg(folder).args(["-U", USER]).args(args).output().unwrap()
}

/// The folder of PostgreSQL's programs.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian =
        fs::read_dir(DEBIAN).into_iter().flatten().flatten().map(|version| version.path().join("bin"));
    let mut folders = debian.chain(std::env::split_paths(&path));
    folders
        .find(|folder| ["pg_ctl", "initdb", "createdb", "psql"].iter().all(|tool| folder.join(tool).exists()))
}

fn start() -> Option<PathBuf> {
    let programs = programs()?;
    let folder = std::env::temp_dir().join(format!("sluice-postgres-{}", std::process::id()));
    fs::create_dir_all(&folder).ok()?;
    // Each file of the suite has this module once: the first to come starts the cluster for all.
    let turn = File::create(folder.join("turn")).ok()?;
    turn.lock().ok()?;
    if folder.join("data").exists() {
        return Some(folder);
    }
    let mut shell = if rustix::process::geteuid().is_root() {
        let owned = Command::new("chown").arg(USER).arg(&folder).status().ok()?;
        owned.success().then_some(())?;
        let mut shell = Command::new("runuser");
        shell.args(["-u", USER, "--", "sh"]);
        shell
    } else {
        Command::new("sh")
    };
    // It is stopped when its standard input ends: when this process does, however that comes.
    let script = r#"
        PATH=$1:$PATH; cd "$2" || exit 1
        initdb -D data -U postgres -A trust --no-sync -E UTF8 --locale=C >log 2>&1 || { cat log >&2; exit 1; }
        options="-k '$2' -c listen_addresses= -c fsync=off -c max_connections=200"
        pg_ctl -D data -o "$options" -l log -w start >/dev/null 2>&1 </dev/null || { cat log >&2; exit 1; }
        echo ready
        cat >/dev/null
        pg_ctl -D data -m immediate -w stop >/dev/null 2>&1
        rm -rf "$2"
    "#;
    shell.arg("-c").arg(script).arg("sh").arg(programs).arg(&folder);
    let mut running = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
    let mut said = String::new();
    BufReader::new(running.stdout.take()?).read_line(&mut said).ok()?;
    // Its standard input stays open as long as this process lives.
    std::mem::forget(running);
    (said == "ready\n").then_some(folder)
}
