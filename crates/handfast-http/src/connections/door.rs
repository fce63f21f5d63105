//! Where a service listens: a port of the network or a socket in the file system, encrypted or not.

use std::io;
#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tokio::net::{TcpListener, TcpStream};
#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream};

#[cfg(feature = "tls")]
use crate::tls::DoorTls;

/// Where connections come from.
#[derive(Debug)]
pub struct Door {
    listener: Listener,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<DoorTls>,
}

#[derive(Debug)]
enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Socket {
        listener: UnixListener,
        _file: SocketFile,
    },
}

/// A connection that was taken.
pub(super) enum Taken {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl From<TcpListener> for Door {
    fn from(listener: TcpListener) -> Self {
        Self::of(Listener::Tcp(listener))
    }
}

impl Door {
    const fn of(listener: Listener) -> Self {
        Self {
            listener,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// A socket in the file system, which its owner alone may open (mode 0600), and which is removed when the door is shut. One that
    /// was left behind by a process that is gone is replaced.
    ///
    /// # Errors
    /// Another process listens there, something else is there, or the system says no.
    #[cfg(unix)]
    pub fn socket(path: &Path) -> io::Result<Self> {
        let (file, listener) = SocketFile::bind(path)?;
        Ok(Self::of(Listener::Socket { listener, _file: file }))
    }

    /// The same, and every connection has to be encrypted.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn encrypted(self, tls: DoorTls) -> Self {
        Self { tls: Some(tls), ..self }
    }

    /// Whether callers have to agree how to encrypt.
    pub(super) const fn encrypts(&self) -> bool {
        #[cfg(feature = "tls")]
        return self.tls.is_some();
        #[cfg(not(feature = "tls"))]
        return false;
    }

    pub(super) async fn accept(&self) -> io::Result<Taken> {
        match &self.listener {
            Listener::Tcp(listener) => Ok(Taken::Tcp(listener.accept().await?.0)),
            #[cfg(unix)]
            Listener::Socket { listener, .. } => Ok(Taken::Unix(listener.accept().await?.0)),
        }
    }
}

/// The socket's name in the file system. Dropped, it is removed, if it is still the one that was made.
#[cfg(unix)]
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    /// Device and number of the file.
    made: (u64, u64),
    _lock: Lock,
}

#[cfg(unix)]
impl SocketFile {
    /// The socket is made in a folder that is its owner's alone, gets its mode there, and only then its name, if there is none: at no
    /// moment can another user open it, and nothing that is under the name is replaced but a socket that was left behind.
    fn bind(path: &Path) -> io::Result<(Self, UnixListener)> {
        let lock = Lock::of(path)?;
        clear(path)?;
        let folder = folder_beside(path)?;
        let inside = folder.join("s");
        let bound = UnixListener::bind(&inside).and_then(|listener| {
            std::fs::set_permissions(&inside, std::fs::Permissions::from_mode(0o600))?;
            let made = identity(&inside)?;
            std::fs::hard_link(&inside, path)?;
            Ok((Self { path: path.to_owned(), made, _lock: lock }, listener))
        });
        // What is left of it is the folder, and the socket's other name.
        drop(std::fs::remove_dir_all(&folder));
        bound
    }
}

/// A folder with a short name. One that a killed process has left behind stays, and another name is tried.
#[cfg(unix)]
fn folder_beside(path: &Path) -> io::Result<PathBuf> {
    let mut made = Err(io::ErrorKind::AlreadyExists.into());
    for number in 0..1_000 {
        let folder = path.with_file_name(format!(".h{number}"));
        made = std::fs::DirBuilder::new().mode(0o700).create(&folder).map(|()| folder);
        if !made.as_ref().is_err_and(|error: &io::Error| error.kind() == io::ErrorKind::AlreadyExists) {
            break;
        }
    }
    made
}

#[cfg(unix)]
impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|found| found == self.made) {
            // Where it cannot be removed the next process replaces it.
            drop(std::fs::remove_file(&self.path));
        }
    }
}

/// Held as long as a process listens: a lock on a file beside the socket, which the system lets go when the process ends.
#[cfg(unix)]
#[derive(Debug)]
struct Lock {
    path: PathBuf,
    _file: std::fs::File,
}

#[cfg(unix)]
impl Lock {
    fn of(socket: &Path) -> io::Result<Self> {
        let mut path = socket.as_os_str().to_owned();
        path.push(".lock");
        let path = PathBuf::from(path);
        loop {
            let file = std::fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path)?;
            file.try_lock().map_err(|error| match error {
                std::fs::TryLockError::WouldBlock => io::Error::new(io::ErrorKind::AddrInUse, "another process listens there"),
                std::fs::TryLockError::Error(error) => error,
            })?;
            let held = file.metadata()?;
            // The process that held it before may have taken the file away meanwhile.
            if identity(&path).is_ok_and(|found| found == (held.dev(), held.ino())) {
                return Ok(Self { path, _file: file });
            }
        }
    }
}

#[cfg(unix)]
impl Drop for Lock {
    fn drop(&mut self) {
        // While it is held, so that it is this file's name.
        drop(std::fs::remove_file(&self.path));
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let found = std::fs::symlink_metadata(path)?;
    Ok((found.dev(), found.ino()))
}

/// What may be at the socket's place: nothing, or a socket at which no process listens.
#[cfg(unix)]
fn clear(path: &Path) -> io::Result<()> {
    let found = match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    if !found.file_type().is_socket() {
        let why = "there is something else than a socket under this name, which is left as it is";
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, why));
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Ok(_listens) => Err(io::Error::new(io::ErrorKind::AddrInUse, "another process listens there")),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path),
        Err(error) => Err(error),
    }
}
