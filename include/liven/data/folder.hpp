#pragma once

#include <filesystem>

#include "liven/data/dataset.hpp"

namespace liven::data {

/// A tree with class folders: bonafide, real, live, genuine or client* against attack, spoof, fake or imposter*, in any
/// case and with any ending (ClientRaw, attack_training). What lies around them is understood as follows.
///
///   train | val | test ... above or in the class folder's name   the split
///   another folder above it                                      the data set's name
///   print, photo, replay, display, mask ... right below it       the attack type
///   the next folder below                                        the subject (the same name in both classes: the same
///   person) further folders                                              the video digits at the end of a file's name
///   the frame
///
/// In the layout <set>/images/<class>_<training|validation>/ the file's name up to its last number is the video.
/// Links are followed once, so loops end; hidden files are passed over, other files that are no pictures are listed in
/// `skipped`. Throws Error when there is no class folder or no picture.
Dataset read_folder(const std::filesystem::path& root);

}  // namespace liven::data
