import CMicroHTTPD

/// The library that does the talking.
package enum ServerLibrary {
    /// Its name and the version at run time.
    package static var version: (name: String, version: String) {
        ("libmicrohttpd", unsafe String(cString: MHD_get_version()))
    }
}
