//! Where a file that is open cannot be removed or replaced there is nothing to look at.

/// Nothing to be looked at.
#[derive(Debug)]
pub struct Watched;

impl Watched {
    /// Looks at nothing.
    ///
    /// # Errors
    /// None.
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere looking at a file can go wrong")]
    pub fn of(_path: &std::path::Path) -> std::io::Result<Self> {
        Ok(Self)
    }

    /// None is known.
    #[must_use]
    #[expect(clippy::unused_self, reason = "elsewhere there is something to look at")]
    pub fn generation(&self) -> Option<i32> {
        None
    }

    /// Nothing says how long the log is.
    ///
    /// # Errors
    /// Always.
    #[expect(clippy::unused_self, reason = "elsewhere there is something to look at")]
    pub fn log_frames(&self) -> std::io::Result<(u32, u32)> {
        Err(std::io::ErrorKind::Unsupported.into())
    }

    /// Looks at nothing.
    ///
    /// # Errors
    /// None.
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "elsewhere there is something to look at")]
    pub fn look(&self) -> Result<(), String> {
        Ok(())
    }
}

/// None is known.
///
/// # Errors
/// None.
#[expect(clippy::unnecessary_wraps, reason = "elsewhere reading a file can go wrong")]
pub fn generation_of(_path: &std::path::Path) -> std::io::Result<Option<i32>> {
    Ok(None)
}
