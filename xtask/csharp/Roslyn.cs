// Roslyn comes as libraries, without a program: this is one. It is written against nothing but reflection, as Mono's mcs,
// which compiles it, cannot read the assemblies that Roslyn is made for.
//
// Usage: Roslyn.exe RESPONSE-FILE...
//
// Each response file has csc's arguments, one a line, with references by their whole paths. Starting is what takes the
// time, so any number of compilations are made by one process. Warnings count as errors. The exit code is 1 if one failed.
using System;
using System.Collections;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Text;

static class Roslyn
{
    static readonly Assembly Core = Assembly.Load("Microsoft.CodeAnalysis");
    static readonly Assembly CSharp = Assembly.Load("Microsoft.CodeAnalysis.CSharp");

    static int Main(string[] responseFiles)
    {
        int failed = 0;
        foreach (string file in responseFiles) {
            List<string> complaints = Compile(File.ReadAllLines(file));
            if (complaints.Count > 0) {
                failed++;
                Console.WriteLine("{0}:", Path.GetFileNameWithoutExtension(file));
            }
            foreach (string complaint in complaints) {
                Console.WriteLine("  {0}", complaint);
            }
        }
        return failed == 0 ? 0 : 1;
    }

    /// Makes what the arguments ask for, and returns what there is to complain about.
    static List<string> Compile(string[] arguments)
    {
        object parser = Get(Type(CSharp, "CSharpCommandLineParser"), null, "Default");
        object parsed = Call(parser.GetType(), parser, "Parse", arguments, Directory.GetCurrentDirectory(), null, null);
        List<string> complaints = Complaints((IEnumerable)Get(parsed, "Errors"));
        if (complaints.Count > 0) {
            return complaints;
        }

        object[] trees = Each(parsed, "SourceFiles").Select(source => Tree((string)Get(source, "Path"), parsed)).ToArray();
        object[] references = Each(parsed, "MetadataReferences").Select(Reference).ToArray();
        string output = Path.Combine((string)Get(parsed, "OutputDirectory"), (string)Get(parsed, "OutputFileName"));
        object compilation = Call(
            Type(CSharp, "CSharpCompilation"), null, "Create", Path.GetFileNameWithoutExtension(output),
            ArrayOf(Type(Core, "SyntaxTree"), trees), ArrayOf(Type(Core, "MetadataReference"), references),
            Get(parsed, "CompilationOptions"));

        var image = new MemoryStream();
        // Without a place for the documentation, documentation is not checked.
        object documentation = Get(parsed, "DocumentationPath") == null ? null : new MemoryStream();
        object result = Call(
            compilation.GetType(), compilation, "Emit", image, null, documentation, null, null, Get(parsed, "EmitOptions"));
        complaints = Complaints((IEnumerable)Get(result, "Diagnostics"));
        if (complaints.Count == 0) {
            File.WriteAllBytes(output, image.ToArray());
        }
        return complaints;
    }

    static object Tree(string path, object parsed)
    {
        return Call(
            Type(CSharp, "CSharpSyntaxTree"), null, "ParseText", File.ReadAllText(path), Get(parsed, "ParseOptions"), path,
            Encoding.UTF8);
    }

    static object Reference(object asked)
    {
        return Call(Type(Core, "MetadataReference"), null, "CreateFromFile", Get(asked, "Reference"), Get(asked, "Properties"));
    }

    static List<string> Complaints(IEnumerable diagnostics)
    {
        return diagnostics.Cast<object>()
            .Where(diagnostic => Get(diagnostic, "Severity").ToString() == "Error" || Get(diagnostic, "Severity").ToString() == "Warning")
            .Where(diagnostic => !(bool)Get(diagnostic, "IsSuppressed"))
            .Select(diagnostic => diagnostic.ToString())
            .ToList();
    }

    static Type Type(Assembly assembly, string name)
    {
        return assembly.GetType(assembly.GetName().Name + "." + name, true);
    }

    static object Get(object target, string property)
    {
        return Get(target.GetType(), target, property);
    }

    static object Get(Type type, object target, string property)
    {
        // Where a derived class has a property of the same name, its own is meant.
        for (Type declaring = type; declaring != null; declaring = declaring.BaseType) {
            const BindingFlags own =
                BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
            PropertyInfo found = declaring.GetProperty(property, own);
            if (found != null) {
                return found.GetValue(target, null);
            }
        }
        throw new MissingMemberException(type.FullName, property);
    }

    static IEnumerable<object> Each(object target, string property)
    {
        return ((IEnumerable)Get(target, property)).Cast<object>();
    }

    static Array ArrayOf(Type type, object[] items)
    {
        Array array = Array.CreateInstance(type, items.Length);
        Array.Copy(items, array, items.Length);
        return array;
    }

    /// Calls the shortest overload that takes these arguments, its further parameters at their defaults.
    static object Call(Type type, object target, string name, params object[] arguments)
    {
        MethodInfo method = type.GetMethods()
            .Where(candidate => candidate.Name == name && Takes(candidate.GetParameters(), arguments))
            .OrderBy(candidate => candidate.GetParameters().Length)
            .First();
        ParameterInfo[] parameters = method.GetParameters();
        var all = new object[parameters.Length];
        for (int i = 0; i < all.Length; i++) {
            all[i] = i < arguments.Length ? arguments[i] : Default(parameters[i]);
        }
        return method.Invoke(target, all);
    }

    static bool Takes(ParameterInfo[] parameters, object[] arguments)
    {
        if (parameters.Length < arguments.Length) {
            return false;
        }
        for (int i = 0; i < parameters.Length; i++) {
            bool fits = i >= arguments.Length ? parameters[i].HasDefaultValue
                : arguments[i] == null ? !parameters[i].ParameterType.IsValueType
                : parameters[i].ParameterType.IsInstanceOfType(arguments[i]);
            if (!fits) {
                return false;
            }
        }
        return true;
    }

    static object Default(ParameterInfo parameter)
    {
        bool absent = parameter.DefaultValue == null && parameter.ParameterType.IsValueType;
        return absent ? Activator.CreateInstance(parameter.ParameterType) : parameter.DefaultValue;
    }
}
