// swift-tools-version: 6.2
// SPDX-License-Identifier: MIT

import PackageDescription

/// Every Swift target is held to the same rules: language mode 6, and a warning is an error.
let strict: [SwiftSetting] = [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]

let package = Package(
    name: "kmemcache",
    products: [
        .library(name: "KMCProtocolModel", targets: ["KMCProtocolModel"]),
        .library(name: "KMCConformance", targets: ["KMCConformance"]),
    ],
    targets: [
        .target(name: "KMCProtocolModel", swiftSettings: strict),
        .target(name: "KMCConformance", dependencies: ["KMCProtocolModel"], swiftSettings: strict),
        .testTarget(name: "KMCProtocolModelTests", dependencies: ["KMCProtocolModel"], swiftSettings: strict),
        .testTarget(
            name: "KMCConformanceTests", dependencies: ["KMCConformance", "KMCProtocolModel"], swiftSettings: strict),
    ]
)
