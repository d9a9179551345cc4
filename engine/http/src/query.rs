//! What a query may ask: a parameter or a value that is not known is refused, never passed over. Whoever misspells a filter
//! would take the whole list for what was asked for.

use axum::{
    extract::Query,
    http::{StatusCode, Uri},
};

use crate::Problem;

/// A parameter that is nearer than this to a known one is a misspelling of it, and may be named. Any other may be anything
/// that somebody sent, and is not repeated.
const MISSPELT_MAX: usize = 2;

/// Refuse a query that has a parameter beside these.
///
/// # Errors
/// `unknown_parameter`, with its name where it is a known one's, misspelt.
pub fn only(uri: &Uri, known: &[impl AsRef<str>]) -> Result<(), Problem> {
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)?;
    let known: Vec<&str> = known.iter().map(AsRef::as_ref).collect();
    let unknown = pairs.iter().map(|(name, _)| name.as_str()).find(|name| !known.contains(name));
    let Some(name) = unknown else { return Ok(()) };
    let takes = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    let is_meant = |one: &&&str| strsim::osa_distance(one, &name.to_ascii_lowercase()) <= MISSPELT_MAX;
    let detail = match known.iter().find(is_meant) {
        Some(meant) => format!("the parameter `{name}` is not known: `{meant}`? This takes {takes}"),
        None => format!("a parameter of the query is not known; this takes {takes}"),
    };
    Err(Problem::coded(StatusCode::BAD_REQUEST, "unknown_parameter", detail))
}

/// Refuse a value of a parameter that is none of these.
///
/// # Errors
/// `unknown_value`, with the parameter's name and what it may be.
pub fn one_of<'a>(
    name: &str,
    value: Option<&str>,
    known: impl IntoIterator<Item = &'a str>,
) -> Result<(), Problem> {
    let Some(value) = value else { return Ok(()) };
    let known: Vec<&str> = known.into_iter().collect();
    if known.contains(&value) {
        return Ok(());
    }
    let detail = format!("`{name}` is one of {}", known.join(", "));
    Err(Problem::coded(StatusCode::BAD_REQUEST, "unknown_value", detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(uri: &str, known: &[&str]) -> Option<String> {
        only(&uri.parse().unwrap(), known).err().map(|problem| problem.detail().to_owned())
    }

    #[test]
    fn what_is_not_known_is_refused_by_name() {
        let known = ["severity", "limit"];
        for fine in ["/v1/alerts", "/v1/alerts?", "/v1/alerts?limit=3&severity=high"] {
            assert_eq!(refused(fine, &known), None, "{fine}");
        }
        let detail = refused("/v1/alerts?severty=high", &known).unwrap();
        assert_eq!(detail, "the parameter `severty` is not known: `severity`? This takes severity, limit");
        let detail = refused("/v1/x?a=1", &[]).unwrap();
        assert_eq!(detail, "a parameter of the query is not known; this takes none");
        let detail = refused("/v1/alerts?CHAN+Tai+Man=1", &known).unwrap();
        assert!(!detail.contains("CHAN"), "{detail}");
    }

    #[test]
    fn a_value_is_one_of_those_known() {
        let known = ["low", "high"];
        assert!(one_of("severity", None, known).is_ok() && one_of("severity", Some("high"), known).is_ok());
        for bad in ["HIGH", "", "4311"] {
            let problem = one_of("severity", Some(bad), known).unwrap_err();
            assert_eq!(
                (problem.code(), problem.detail()),
                ("unknown_value", "`severity` is one of low, high")
            );
        }
    }
}
