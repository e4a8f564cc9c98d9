#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "liven/data/dataset.hpp"

/// The manifest: a CSV table (RFC 4180) with one row a picture,
///
///     path,label,subject,video,frame,attack_type,dataset,split[,box,target,modality,depth_path,mask_path,landmarks,quality]
///
/// columns in any order, all but `path` and `label` optional, paths relative to the manifest, box as "x y w h",
/// landmarks as "x y x y" of the eyes or five such pairs. A path may name a picture, a video file (all of it, or with
/// `frame` one of its pictures) or a folder with one picture a frame; what a recording is becomes clips by `clips_of`.
namespace liven::data {

/// Throws Error with the line for: a missing or doubled column, a row of another length, a stray or open quote, a NUL
/// byte, a field above 64 KiB, an unknown label or split, a bad number or box, a picture listed twice, no rows.
Dataset read_manifest(const std::filesystem::path& path);
/// The same from text; `folder` is what relative paths start from and `name` stands in messages.
Dataset parse_manifest(std::string_view text, const std::filesystem::path& folder, const std::string& name);

/// Paths below the manifest's folder are written relative to it. The file appears whole or not at all. Throws Error
/// when it cannot be written.
void write_manifest(const Dataset& dataset, const std::filesystem::path& path);

}  // namespace liven::data
