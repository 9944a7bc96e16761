//! SQLite's files, through which its pages go: the only module here that may use `unsafe`, since C calls it.
//!
//! A file is opened by the system that SQLite brings along. Behind ours, in the same allocation, lies its own; every call
//! goes on to it. Between the two a page gets its check word when it is written, and is compared when it was read.
#![expect(unsafe_code, reason = "SQLite reaches files by C functions alone; the cost is in docs/benchmarks.md")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::{Mutex, OnceLock, PoisonError};

use rusqlite::{Connection, ffi};

use crate::scan::is_header;
use crate::{PAGE, RESERVED, sum, wal};

/// Under which name SQLite knows these files.
pub(crate) const NAME: &str = "entraide-pages";
const C_NAME: &CStr = c"entraide-pages";
/// What the header of a database has: read by itself before the size of pages is known.
const DATABASE_HEADER: usize = 100;

/// What was found last, in words; for whoever is told of an error by SQLite, which knows no page.
static LAST: Mutex<Option<String>> = Mutex::new(None);

/// What was read last that is not what was written, in words.
#[must_use]
pub fn last_damage() -> Option<String> {
    LAST.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Which file it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Database,
    WriteAhead,
}

/// Our file. SQLite makes room for it and for the file behind it.
#[repr(C)]
struct Shim {
    base: ffi::sqlite3_file,
    kind: Kind,
    /// Belongs to SQLite, until it has closed the file.
    name: *const c_char,
    /// Where the page stands whose header was written last; of the write-ahead file.
    awaited: i64,
    /// A large commit may write a page a second time into its frame, and mends the sums when it ends. Until then they are
    /// not compared: nobody but the writer reads these frames.
    rewritten: bool,
}

/// Makes the files known to SQLite, once; gives the name.
///
/// # Errors
/// SQLite does not take them.
pub(crate) fn register() -> rusqlite::Result<&'static str> {
    static REGISTERED: OnceLock<c_int> = OnceLock::new();
    match *REGISTERED.get_or_init(add) {
        ffi::SQLITE_OK => Ok(NAME),
        code => Err(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)),
    }
}

fn add() -> c_int {
    // SAFETY: SQLite initialises itself before it looks; null asks for the system of now, which is never taken away.
    let system = unsafe { ffi::sqlite3_vfs_find(std::ptr::null()) };
    // SAFETY: what was found is a valid system, or null.
    let Some(known) = (unsafe { system.as_ref() }) else { return ffi::SQLITE_ERROR };
    let Ok(room) = c_int::try_from(size_of::<Shim>()) else { return ffi::SQLITE_ERROR };
    // The other functions of the system look at no field of it but `xOpen`, which is given the system itself.
    let ours = ffi::sqlite3_vfs {
        szOsFile: known.szOsFile + room,
        pNext: std::ptr::null_mut(),
        zName: C_NAME.as_ptr(),
        pAppData: system.cast(),
        xOpen: Some(open),
        ..*known
    };
    // SAFETY: it lives as long as the process, as SQLite wants it.
    unsafe { ffi::sqlite3_vfs_register(Box::leak(Box::new(ours)), 0) }
}

/// Leaves room for check words in the pages of a file that is still empty, or is about to be written anew.
///
/// # Errors
/// What SQLite says.
pub(crate) fn reserve(conn: &Connection) -> rusqlite::Result<()> {
    let mut bytes = RESERVED as c_int;
    // SAFETY: the connection is open, and SQLite reads and writes one number.
    let code = unsafe {
        let name = c"main".as_ptr();
        ffi::sqlite3_file_control(conn.handle(), name, ffi::SQLITE_FCNTL_RESERVE_BYTES, (&raw mut bytes).cast())
    };
    if code == ffi::SQLITE_OK { Ok(()) } else { Err(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)) }
}

unsafe extern "C" fn open(
    ours: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: `add` put the system there.
    let system: *mut ffi::sqlite3_vfs = unsafe { (*ours).pAppData.cast() };
    // SAFETY: a registered system is valid.
    let Some(open) = (unsafe { (*system).xOpen }) else { return ffi::SQLITE_CANTOPEN };
    let kind = if flags & ffi::SQLITE_OPEN_MAIN_DB != 0 {
        Kind::Database
    } else if flags & ffi::SQLITE_OPEN_WAL != 0 {
        Kind::WriteAhead
    } else {
        // Journals and temporary files live no longer than the process that reads them.
        // SAFETY: SQLite's own arguments, and the room of `szOsFile` is more than the system needs.
        return unsafe { open(system, name, file, flags, out) };
    };
    let shim =
        Shim { base: ffi::sqlite3_file { pMethods: std::ptr::null() }, kind, name, awaited: -1, rewritten: false };
    // SAFETY: SQLite gives `szOsFile` bytes, aligned for any type: first ours, behind it the system's.
    unsafe {
        file.cast::<Shim>().write(shim);
        (*behind(file)).pMethods = std::ptr::null();
        let code = open(system, name, behind(file), flags, out);
        let methods = (*behind(file)).pMethods;
        if !methods.is_null() {
            if (*methods).iVersion < METHODS.iVersion {
                return ffi::SQLITE_CANTOPEN;
            }
            (*file).pMethods = &raw const METHODS;
        }
        code
    }
}

/// The system's file behind ours.
///
/// # Safety
/// `file` was opened by [`open`].
unsafe fn behind(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    // SAFETY: as above; the size of ours is a multiple of its alignment, which is that of a pointer.
    unsafe { file.cast::<Shim>().add(1).cast() }
}

/// Calls a method of the file behind.
macro_rules! onward {
    ($file:expr, $method:ident $(, $argument:expr)*) => {{
        let behind = behind($file);
        match (*(*behind).pMethods).$method {
            Some(method) => method(behind $(, $argument)*),
            None => ffi::SQLITE_IOERR,
        }
    }};
}

/// A method that does nothing but call that of the file behind.
macro_rules! passed_on {
    ($name:ident, $method:ident $(, $argument:ident: $kind:ty)*) => {
        unsafe extern "C" fn $name(file: *mut ffi::sqlite3_file $(, $argument: $kind)*) -> c_int {
            // SAFETY: SQLite calls it with a file that `open` has opened, and with its own arguments.
            unsafe { onward!(file, $method $(, $argument)*) }
        }
    };
}

passed_on!(close, xClose);
passed_on!(truncate, xTruncate, size: i64);
passed_on!(file_size, xFileSize, size: *mut i64);
passed_on!(lock, xLock, level: c_int);
passed_on!(unlock, xUnlock, level: c_int);
passed_on!(is_reserved, xCheckReservedLock, answer: *mut c_int);
passed_on!(control, xFileControl, what: c_int, argument: *mut c_void);
passed_on!(sector, xSectorSize);
passed_on!(map_index, xShmMap, page: c_int, size: c_int, extend: c_int, place: *mut *mut c_void);
passed_on!(lock_index, xShmLock, first: c_int, count: c_int, flags: c_int);
passed_on!(unmap_index, xShmUnmap, delete: c_int);

unsafe extern "C" fn barrier(file: *mut ffi::sqlite3_file) {
    // SAFETY: as with what is passed on.
    unsafe {
        let behind = behind(file);
        if let Some(method) = (*(*behind).pMethods).xShmBarrier {
            method(behind);
        }
    }
}

unsafe extern "C" fn characteristics(file: *mut ffi::sqlite3_file) -> c_int {
    // Part of a page has no check word: pages are read whole.
    // SAFETY: as with what is passed on.
    unsafe { onward!(file, xDeviceCharacteristics) & !ffi::SQLITE_IOCAP_SUBPAGE_READ }
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: as with what is passed on; SQLite uses a file in one thread at a time.
    unsafe {
        // A commit has ended, and its sums are mended.
        (*file.cast::<Shim>()).rewritten = false;
        onward!(file, xSync, flags)
    }
}

unsafe extern "C" fn fetch(_: *mut ffi::sqlite3_file, _: i64, _: c_int, place: *mut *mut c_void) -> c_int {
    // A mapped page would be read past the check: there is none, and SQLite reads it.
    // SAFETY: SQLite gives the place of one pointer.
    unsafe { *place = std::ptr::null_mut() };
    ffi::SQLITE_OK
}

unsafe extern "C" fn unfetch(_: *mut ffi::sqlite3_file, _: i64, _: *mut c_void) -> c_int {
    ffi::SQLITE_OK
}

unsafe extern "C" fn write(file: *mut ffi::sqlite3_file, from: *const c_void, count: c_int, at: i64) -> c_int {
    // SAFETY: SQLite gives `count` bytes; the file is one of ours, in one thread at a time.
    unsafe {
        let shim = &mut *file.cast::<Shim>();
        let is_page = usize::try_from(count) == Ok(PAGE);
        match shim.kind {
            Kind::Database if is_page => {
                let mut page = from.cast::<[u8; PAGE]>().read();
                sum::seal(&mut page);
                onward!(file, xWrite, page.as_ptr().cast(), count, at)
            }
            Kind::WriteAhead if is_page => {
                shim.rewritten |= shim.awaited != at;
                onward!(file, xWrite, from, count, at)
            }
            Kind::WriteAhead => {
                shim.awaited = at + i64::from(count);
                onward!(file, xWrite, from, count, at)
            }
            Kind::Database => onward!(file, xWrite, from, count, at),
        }
    }
}

unsafe extern "C" fn read(file: *mut ffi::sqlite3_file, into: *mut c_void, count: c_int, at: i64) -> c_int {
    // SAFETY: SQLite gives room for `count` bytes, all of them written by the file behind, also where it ends early.
    unsafe {
        let code = onward!(file, xRead, into, count, at);
        let (Ok(length), Ok(place)) = (usize::try_from(count), u64::try_from(at)) else { return code };
        if code != ffi::SQLITE_OK {
            return code;
        }
        let bytes = std::slice::from_raw_parts(into.cast::<u8>(), length);
        let shim = &*file.cast::<Shim>();
        let whole = match shim.kind {
            Kind::Database => database_is_whole(bytes, place),
            Kind::WriteAhead if length == PAGE && !shim.rewritten => frame_is_whole(file, bytes, place),
            Kind::WriteAhead => true,
        };
        if whole {
            return code;
        }
        let name = CStr::from_ptr(shim.name).to_string_lossy();
        let what = match shim.kind {
            Kind::Database => format!("page {}", place / PAGE as u64 + 1),
            Kind::WriteAhead => format!("frame {}", wal::frame_of(place).map_or(0, wal::number)),
        };
        let told = format!("{what} of `{name}` is not what was written");
        *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some(told);
        ffi::SQLITE_IOERR_DATA
    }
}

/// Are bytes of the database what was written there?
fn database_is_whole(bytes: &[u8], place: u64) -> bool {
    match <&[u8; PAGE]>::try_from(bytes) {
        Ok(page) => sum::is_whole(page) && (place > 0 || is_header(page)),
        // The header is looked at before the first page is read, and by it pages of another size could be asked for, which
        // have no check word. What is shorter is the counter of changes, which is read again with its page.
        Err(_) if place == 0 && bytes.len() >= DATABASE_HEADER => is_header(bytes),
        Err(_) => bytes.len() < DATABASE_HEADER,
    }
}

/// Is a page of the write-ahead file what its frame says?
///
/// # Safety
/// `file` was opened by [`open`].
unsafe fn frame_is_whole(file: *mut ffi::sqlite3_file, page: &[u8], place: u64) -> bool {
    let Some(frame) = wal::frame_of(place) else { return false };
    let (mut seed, mut header) = ([0_u8; 8], [0_u8; wal::FRAME_HEADER]);
    // SAFETY: the buffers have the lengths that are said.
    let codes = unsafe {
        let read = |buffer: &mut [u8], at: u64| match (c_int::try_from(buffer.len()), i64::try_from(at)) {
            (Ok(length), Ok(at)) => onward!(file, xRead, buffer.as_mut_ptr().cast(), length, at),
            _ => ffi::SQLITE_IOERR,
        };
        [read(&mut seed, wal::seed_place(frame)), read(&mut header, frame)]
    };
    codes == [ffi::SQLITE_OK; 2] && wal::is_whole(wal::pair(&seed), &header, page)
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 3,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(is_reserved),
    xFileControl: Some(control),
    xSectorSize: Some(sector),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: Some(map_index),
    xShmLock: Some(lock_index),
    xShmBarrier: Some(barrier),
    xShmUnmap: Some(unmap_index),
    xFetch: Some(fetch),
    xUnfetch: Some(unfetch),
};
