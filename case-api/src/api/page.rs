//! Lists over HTTP: `{"items":[…],"next_cursor":…}`, `?limit=&cursor=`.

use serde::{Deserialize, Serialize};
use sluice_http::page::items;
use utoipa::{
    IntoParams, PartialSchema as _,
    openapi::{
        Required,
        path::{Parameter, ParameterBuilder, ParameterIn},
    },
};

use super::Problem;
use crate::{
    limits::{PAGE_DEFAULT, PAGE_MAX},
    service::Page,
};

/// A page of a list.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Items<T> {
    /// Newest first.
    pub items: Vec<T>,
    /// Where the next page begins; null on the last.
    pub next_cursor: Option<String>,
}

impl<T> From<(Vec<T>, Option<i64>)> for Items<T> {
    fn from((items, next): (Vec<T>, Option<i64>)) -> Self {
        Self { items, next_cursor: next.map(|seq| seq.to_string()) }
    }
}

/// A list that always fits one page.
impl<T> From<Vec<T>> for Items<T> {
    fn from(items: Vec<T>) -> Self {
        Self { items, next_cursor: None }
    }
}

/// Which page.
#[derive(Deserialize)]
pub(crate) struct PageQuery {
    /// Items on a page: [`PAGE_DEFAULT`] where it is not given, [`PAGE_MAX`] at most.
    pub limit: Option<u64>,
    /// The `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// Written by hand, so that the document has the limits from where they are named.
impl IntoParams for PageQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let limit = format!("Items on a page: {PAGE_DEFAULT} where it is not given, {PAGE_MAX} at most.");
        let of = |name, description: &str, schema| {
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Query)
                .required(Required::False)
                .description(Some(description))
                .schema(Some(schema))
                .build()
        };
        vec![
            of("limit", &limit, u64::schema()),
            of("cursor", "The `next_cursor` of the page before.", String::schema()),
        ]
    }
}

impl PageQuery {
    /// The page, its limit clamped.
    pub(crate) fn page(&self) -> Result<Page, Problem> {
        let before = match self.cursor.as_deref() {
            None | Some("") => None,
            Some(cursor) => {
                let bad = || Problem::bad_request("the cursor is none that this list gave out");
                Some(cursor.parse::<i64>().ok().filter(|seq| *seq >= 0).ok_or_else(bad)?)
            }
        };
        Ok(Page { before, limit: items(self.limit) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(limit: Option<u64>, cursor: &str) -> Result<Page, Problem> {
        PageQuery { limit, cursor: Some(cursor.to_owned()) }.page()
    }

    #[test]
    fn a_limit_is_clamped_and_a_cursor_that_is_none_is_refused() {
        let good = page(Some(u64::MAX), "12").unwrap();
        assert_eq!((good.before, good.limit), (Some(12), PAGE_MAX));
        for bad in ["x", "-1", "1.5", "9999999999999999999999"] {
            assert_eq!(page(None, bad).unwrap_err().code(), "bad_request", "{bad}");
        }
    }
}
