import CMicroHTTPD

/// The HTTP library.
package enum ServerLibrary {
    /// Its name, and its version at run time.
    package static var version: (name: String, version: String) {
        ("libmicrohttpd", unsafe String(cString: MHD_get_version()))
    }
}
