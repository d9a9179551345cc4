//! How many items one answer lists.

/// The most; a larger `limit` is clamped to it.
pub const ITEMS_MAX: u32 = 1_000;
/// Where `limit` is not given.
pub const ITEMS_DEFAULT: u32 = 100;

/// The number of items for a `limit` that was asked for.
pub fn items(limit: Option<u64>) -> u32 {
    limit.map_or(ITEMS_DEFAULT, |asked| u32::try_from(asked).unwrap_or(ITEMS_MAX)).clamp(1, ITEMS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_clamped() {
        let given = [None, Some(0), Some(7), Some(1_001), Some(u64::MAX)].map(items);
        assert_eq!(given, [100, 1, 7, 1_000, 1_000]);
    }
}
