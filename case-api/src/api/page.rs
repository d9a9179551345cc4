//! Lists over HTTP: `{"items":[…],"next_cursor":…}`, `?limit=&cursor=`.

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::Problem;
use crate::{
    limits::{PAGE_DEFAULT, PAGE_MAX},
    service::Page,
};

/// A page of a list.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Items<T> {
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
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Items on a page: 100 where it is not given, 1,000 at most.
    pub limit: Option<u64>,
    /// The `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl PageQuery {
    /// The page, its limit clamped.
    pub fn page(&self) -> Result<Page, Problem> {
        let limit =
            self.limit.map_or(PAGE_DEFAULT, |n| u32::try_from(n).unwrap_or(PAGE_MAX)).clamp(1, PAGE_MAX);
        let before = match self.cursor.as_deref() {
            None | Some("") => None,
            Some(cursor) => {
                let bad =
                    || Problem::new(StatusCode::BAD_REQUEST, "the cursor is none that this list gave out");
                Some(cursor.parse::<i64>().ok().filter(|seq| *seq >= 0).ok_or_else(bad)?)
            }
        };
        Ok(Page { before, limit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(limit: Option<u64>, cursor: Option<&str>) -> PageQuery {
        PageQuery { limit, cursor: cursor.map(str::to_owned) }
    }

    #[test]
    fn limits_are_clamped() {
        for (asked, given) in
            [(None, 100), (Some(0), 1), (Some(7), 7), (Some(1_001), 1_000), (Some(u64::MAX), 1_000)]
        {
            assert_eq!(query(asked, None).page().unwrap().limit, given);
        }
    }

    #[test]
    fn a_cursor_that_is_none_is_refused() {
        assert_eq!(query(None, Some("12")).page().unwrap().before, Some(12));
        for bad in ["x", "-1", "1.5", "9999999999999999999999"] {
            assert!(query(None, Some(bad)).page().is_err(), "{bad}");
        }
    }
}
