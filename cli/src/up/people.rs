//! Those who may sign in.

use sluice_case_api::{
    CaseApi,
    domain::{Role, Roles},
};

use super::{demo, secrets};
use crate::failure::Failure;

/// The sign-in that each start makes anew.
const OPERATOR: &str = "operator";

/// Somebody who may sign in.
pub(super) struct Person {
    pub name: &'static str,
    pub roles: Roles,
    pub password: String,
}

/// Those who may sign in. Passwords are made anew at each start and stored nowhere in clear: whoever starts the
/// process holds its data anyway. Where other processes have the same people, only the first start makes one.
pub(super) async fn put(cases: &CaseApi, demo: bool, is_shared: bool) -> Result<Vec<Person>, Failure> {
    if is_shared && cases.has_user(OPERATOR).await? {
        return Ok(Vec::new());
    }
    let everybody = Role::ALL.into_iter().filter(|role| *role != Role::Service);
    let mut people = vec![(OPERATOR, Roles::new(everybody))];
    if demo {
        people.extend(demo::people());
    }
    let mut put = Vec::new();
    for (name, roles) in people {
        let password = secrets::password()?;
        cases.put_user(name, &password, roles.clone(), "sluice up").await?;
        put.push(Person { name, roles, password });
    }
    if demo {
        cases.mark_demo_people(&demo::people().map(|(name, _)| name)).await?;
    }
    Ok(put)
}
