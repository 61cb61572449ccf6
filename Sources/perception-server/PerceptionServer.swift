@main
enum PerceptionServer {
    static func main() {}
}
